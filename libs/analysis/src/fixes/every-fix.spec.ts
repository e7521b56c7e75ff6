import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Finding } from '@devmesh/contracts/finding';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reviewText } from '../findings/review-tree.js';
import { SAMPLE_PATHS } from '../findings/run-rules.js';
import { RULES } from '../rules/catalogue.js';
import { applyFixes, type FixRound } from './apply-fixes.js';

const rules = RULES.filter(({ fix }) => fix);

/** Every bad example of a rule with a fix, each a file of one tree. */
const examples = rules.flatMap((rule) =>
  rule.examples.bad.map((example, i) => {
    const { code, language = rule.languages[0] ?? 'text' } = typeof example === 'string' ? { code: example } : example;
    return { rule, path: `${rule.id}-${i}/${SAMPLE_PATHS[language]}`, code };
  }),
);

/** The same program as somebody else lays it out: what a fix does not touch must come through byte for byte. */
const LAYOUTS: Readonly<Record<string, (code: string, comment: string) => string>> = {
  'as it is': (code) => code,
  'with a byte order mark, a comment and the line ends of Windows': (code, comment) =>
    `\uFEFF${comment} 😀 ü\n\n${code}`.replaceAll('\n', '\r\n'),
  'with tabs and without its last line end': (code, comment) =>
    (comment === '//' ? code.replace(/^(?: {2})+/gm, (blanks) => '\t'.repeat(blanks.length / 2)) : code).trimEnd(),
};
/** Rounds after which nothing is left to fix. */
const MAX_ROUNDS = 5;

describe('the fixes of rules', { timeout: 60_000 }, () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'every-fix-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function write(path: string, code: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), code);
  }
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');

  it('are there for more than thirty rules, each of which mends an example of its own', async () => {
    const mended = new Set<string>();
    const findings: Finding[] = [];
    for (const { rule, path, code } of examples) {
      write(path, code);
      findings.push(...(await reviewText(path, code, { rules: [rule] })).findings);
    }
    const { fixed, dropped } = await applyFixes(root, findings);
    for (const { rule } of fixed) mended.add(rule);
    expect(dropped).toEqual([]);
    expect([...mended].sort()).toEqual(rules.map(({ id }) => id).sort());
    expect(mended.size).toBeGreaterThan(30);
  });

  it.each(Object.entries(LAYOUTS))('are proved, change only what they say, and end: %s', async (_, layout) => {
    const before = new Map<string, string>();
    for (const { path, code } of examples) {
      const text = layout(code, /\.[jt]sx?$/.test(path) ? '//' : '#');
      before.set(path, text);
      write(path, text);
    }
    const findings = await reviewAll(before);
    const round = await applyFixes(root, findings);
    expect(round.dropped).toEqual([]);
    expect(round.fixed.length).toBeGreaterThan(60);
    expect(round.fixed.length + round.deferred.length).toBe(findings.filter(({ fix }) => fix).length);
    for (const [path, text] of before) {
      const here = round.fixed.filter(({ location }) => location.path === path);
      // What is left of the old text is in the new one, in its order; a file without fixes is what it was.
      expect(isWoven(untouched(text, here), read(path)), `${text} became ${read(path)}`).toBe(true);
      if (here.length === 0) expect(read(path)).toBe(text);
    }
    let last: FixRound = round;
    for (let rounds = 0; last.fixed.length > 0; rounds += 1) {
      expect(rounds).toBeLessThan(MAX_ROUNDS);
      const texts = new Map([...before.keys()].map((path) => [path, read(path)]));
      last = await applyFixes(root, await reviewAll(texts));
      expect(last.dropped).toEqual([]);
    }
    expect(last.deferred).toEqual([]);
  });

  async function reviewAll(texts: ReadonlyMap<string, string>): Promise<Finding[]> {
    const all: Finding[] = [];
    for (const [path, text] of texts) all.push(...(await reviewText(path, text)).findings);
    return all;
  }
});

/** The pieces of a text between the edits of what was fixed. */
function untouched(text: string, fixed: readonly Finding[]): string[] {
  const bytes = Buffer.from(text);
  const edits = fixed.flatMap(({ fix }) => fix?.edits ?? []).sort((a, b) => a.start - b.start || a.end - b.end);
  const pieces: string[] = [];
  let at = 0;
  for (const { start, end } of edits) {
    pieces.push(bytes.subarray(at, start).toString());
    at = end;
  }
  return [...pieces, bytes.subarray(at).toString()];
}

function isWoven(pieces: readonly string[], text: string): boolean {
  let at = 0;
  return pieces.every((piece) => {
    const found = text.indexOf(piece, at);
    at = found + piece.length;
    return found >= 0;
  });
}
