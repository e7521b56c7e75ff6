import { mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Finding } from '@devmesh/contracts/finding';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reviewTree } from './findings/review-tree.js';
import { applyFixes } from './fixes/apply-fixes.js';
import { parseDockerfile } from './parse/dockerfile.js';
import { languageOf } from './parse/language.js';
import { Positions } from './parse/positions.js';
import { hasSyntaxErrors, parseSyntax } from './parse/syntax.js';
import { mutateSample, type MarkedFile } from './testing/mutations.js';
import { readExpectation, readSample } from './testing/sample.js';

const expectation = readExpectation();
const places = [...expectation.defects, ...expectation.twins];

/** The sample with the offsets of all anchors, in the order of `places`. */
function markedSample(): MarkedFile[] {
  return [...readSample()].map(([path, text]) => ({
    path,
    text,
    marks: places.filter((place) => place.path === path).map((place) => text.indexOf(place.anchor)),
  }));
}

/** Path and line of every place, after whatever became of the files. */
function linesOf(
  before: readonly MarkedFile[],
  after: readonly MarkedFile[],
): Map<(typeof places)[number], { path: string; line: number }> {
  const found = new Map<(typeof places)[number], { path: string; line: number }>();
  for (const [i, file] of after.entries()) {
    const here = places.filter((place) => place.path === before[i]?.path);
    const positions = new Positions(file.text);
    for (const [j, place] of here.entries())
      found.set(place, { path: file.path, line: positions.at(file.marks[j] ?? -1).line });
  }
  return found;
}

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sample-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(files: readonly MarkedFile[]): void {
  for (const { path, text } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

function covers(finding: Finding, at: { path: string; line: number }): boolean {
  const { path, startLine, endLine } = finding.location;
  return path === at.path && startLine <= at.line && at.line <= endLine;
}

async function expectTable(files: readonly MarkedFile[], hint: string): Promise<void> {
  write(files);
  const lines = linesOf(markedSample(), files);
  const { findings, incomplete } = await reviewTree(root);
  expect(incomplete, hint).toEqual([]);
  const left = new Set(findings);
  for (const defect of expectation.defects) {
    const at = lines.get(defect)!;
    const finding = findings.find((one) => one.class === defect.class && covers(one, at));
    expect(finding, `${hint}: ${defect.id} at ${at.path}:${at.line}`).toBeDefined();
    expect(finding!.severity, `${hint}: severity of ${defect.id}`).toBe(defect.severity);
    expect(finding!.fix !== undefined, `${hint}: fix of ${defect.id}`).toBe(defect.fix);
    left.delete(finding!);
  }
  const shown = [...left].map(({ rule, location }) => `${rule} ${location.path}:${location.startLine}`);
  expect(shown, `${hint}: findings that are no planted defect`).toEqual([]);
}

async function expectConvergence(hint: string): Promise<void> {
  const fixable = expectation.defects.filter((defect) => defect.fix);
  const first = await reviewTree(root);
  const one = await applyFixes(root, first.findings);
  expect(one.dropped, hint).toEqual([]);
  expect(one.fixed.map((finding) => finding.class).sort(), hint).toEqual(
    fixable
      .filter(({ round }) => round === 1)
      .map((defect) => defect.class)
      .sort(),
  );
  expect(
    one.deferred.map((finding) => finding.class),
    hint,
  ).toEqual(fixable.filter(({ round }) => round === 2).map((defect) => defect.class));
  const second = await reviewTree(root);
  expect(second.incomplete, hint).toEqual([]);
  expect(
    second.findings.filter(({ fix }) => fix).map((finding) => finding.class),
    hint,
  ).toEqual(one.deferred.map((finding) => finding.class));
  const two = await applyFixes(root, second.findings);
  expect([two.fixed.length, two.deferred.length, two.dropped.length], hint).toEqual([1, 0, 0]);
  for (const path of [...one.files, ...two.files]) {
    const text = readFileSync(join(root, path), 'utf8');
    const language = languageOf(path)!;
    const parses =
      language === 'dockerfile' ? parseDockerfile(text).valid : !hasSyntaxErrors(parseSyntax(language, text));
    expect(parses, `${hint}: ${path} parses`).toBe(true);
  }
  const third = await reviewTree(root);
  expect(
    third.findings.filter(({ fix }) => fix),
    hint,
  ).toEqual([]);
  expect(third.findings.length, hint).toBe(expectation.defects.length - fixable.length);
  const three = await applyFixes(root, third.findings);
  expect(three.files, hint).toEqual([]);
}

describe('the table', () => {
  it('names twelve defects and a twin of each, at anchors that stand on one line', () => {
    expect(expectation.defects).toHaveLength(12);
    expect(expectation.twins.map((twin) => twin.of).sort()).toEqual(
      expectation.defects.map((defect) => defect.id).sort(),
    );
    const sample = readSample();
    expect(sample.size).toBeGreaterThanOrEqual(60);
    for (const { path, anchor } of places) {
      expect(
        sample
          .get(path)
          ?.split('\n')
          .filter((line) => line.includes(anchor)),
        `${path}: ${anchor}`,
      ).toHaveLength(1);
    }
  });
});

describe('the sample as it stands', () => {
  it('has every planted defect found with its class, and nothing else', () =>
    expectTable(markedSample(), 'as it stands'));

  it('has its safe fixes applied in two rounds, and then proposes nothing', async () => {
    write(markedSample());
    await expectConvergence('as it stands');
  });

  it('gives the same findings twice', async () => {
    write(markedSample());
    expect(await reviewTree(root)).toEqual(await reviewTree(root));
  });
});

const SEEDS = Array.from({ length: 12 }, (_, i) => i * 7919 + 1);

describe('the sample with other names, places and form', () => {
  it.each(SEEDS)('seed %i: the same table, and it converges', async (seed) => {
    const files = mutateSample(markedSample(), seed);
    for (const { path, text } of files) {
      const language = languageOf(path);
      if (language && language !== 'dockerfile')
        expect(hasSyntaxErrors(parseSyntax(language, text)), `seed ${seed}: ${path}`).toBe(false);
    }
    await expectTable(files, `seed ${seed}`);
    await expectConvergence(`seed ${seed}`);
  });

  it('gives the same form for the same seed, and another for another', () => {
    expect(mutateSample(markedSample(), 5)).toEqual(mutateSample(markedSample(), 5));
    expect(mutateSample(markedSample(), 5)).not.toEqual(mutateSample(markedSample(), 6));
  });
});
