import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { infrastructureGenerate } from '@devmesh/contracts/actions/infrastructure';
import type { EventOf, RunEventType, StoredEvent } from '@devmesh/contracts/event';
import type { RunArtifact } from '@devmesh/contracts/run';
import { userGit } from '@devmesh/repository/testing/sample-git';
import { treeChanges, treeDigest } from '@devmesh/repository/testing/tree-digest';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Devmesh, type RunResult, type Said } from './support/devmesh.js';
import { processesOf, strayProcesses, temporaryFiles } from './support/leftovers.js';
import { commitsAbove, otherChanges, resultBranches } from './support/repositories.js';
import { findingsAt, lineOf, readExpected, readFindings, type Expected } from './support/sample.js';

let devmesh: Devmesh;
let expected: Expected;
/** The README's command. */
let first: Said;
/** A clone of the sample, as a user's own repository: what comes out is looked at here. */
let repository: string;
let before: Map<string, string>;
let after: Map<string, string>;
let code: number | null;
let result: RunResult;
let events: StoredEvent[];
let artifacts: RunArtifact[];

beforeAll(async () => {
  devmesh = await Devmesh.make(inject('clone'));
  expected = readExpected(devmesh.clone);
  first = await devmesh.run(['run']);
  repository = join(devmesh.folder, 'my shop');
  userGit(devmesh.folder, ['clone', '--quiet', join(devmesh.home, 'sample', 'shop'), repository]);
  before = await treeDigest(repository);
  ({ code, data: result } = await devmesh.json<RunResult>(['run', '--repo', '.'], { cwd: repository }));
  after = await treeDigest(repository);
  events = await eventsOf(devmesh, result.run.id);
  artifacts = JSON.parse(readFileSync(inFolder('artifacts.json'), 'utf8')) as RunArtifact[];
});

afterAll(async () => {
  await devmesh.down();
  const left = processesOf(devmesh.folder);
  await devmesh.remove();
  expect(left).toEqual([]);
});

async function eventsOf(mesh: Devmesh, run: string): Promise<StoredEvent[]> {
  return (await mesh.json<{ events: StoredEvent[] }>(['events', run])).data.events;
}

function eventsOfType<T extends RunEventType>(type: T, of: readonly StoredEvent[] = events): EventOf<T>[] {
  return of.flatMap(({ event }) => (event.type === type ? [event as EventOf<T>] : []));
}

const inFolder = (...names: string[]): string => join(result.delivered?.folder ?? '/nowhere', ...names);
const branch = (): string => `devmesh/${result.run.id}`;

/** The findings that a step's review listed in one of its iterations. */
function findingsOf(step: string, iteration: number): ReturnType<typeof readFindings> {
  const found = artifacts.find(
    (artifact) => artifact.step === step && artifact.iteration === iteration && artifact.name === 'findings.json',
  );
  return readFindings(inFolder('artifacts', found?.digest ?? `no findings of ${step} ${iteration}`));
}

/** What became of a file between two commits: `A` new, `M` changed. */
function changedFiles(from: string, to: string): Map<string, string> {
  const lines = userGit(repository, ['diff', '--no-renames', '--name-status', from, to]).split('\n');
  return new Map(lines.filter((line) => line !== '').map((line) => [line.split('\t')[1] ?? '', line.slice(0, 1)]));
}

describe('./devmesh run in a fresh clone', () => {
  it('sets itself up in a folder with a space, saying so once', () => {
    expect(devmesh.clone).toContain(' ');
    expect(inject('firstCall')).toMatch(/^(devmesh: setting up \(first time\)\.\.\.\n)?(\d+\.\d+\.\d+\n)?$/);
    expect(first.stderr).toBe('');
  });

  it('starts the mesh, does its main job on the sample, and shows what came of it', () => {
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(new RegExp(`the mesh is up at ${devmesh.gateway} \\(all nine services`));
    for (const step of [
      'understand',
      'review',
      'infrastructure',
      'cicd',
      'documentation',
      'implement',
      'verify',
      'report',
    ])
      expect(first.stdout).toMatch(new RegExp(`^ +[\\d.]+ s +${step} +✔ succeeded`, 'm'));
    expect(first.stdout).toMatch(/^✔ passed in [\d.]+ s$/m);
    expect(first.stdout).toMatch(/^ {2}findings {2}2 critical · 3 high · 1 medium$/m);
    expect(first.stdout).toMatch(/^ {2}branch {4}devmesh\/[0-9a-f-]{36} \(5 commits\) in .*\/sample\/shop$/m);
    expect(first.stdout).toMatch(/^ {2}report {4}.*\/report\.md$/m);
    expect(first.stdout).toMatch(/^ {2}sarif {5}.*\/findings\.sarif$/m);
    expect(first.stdout).not.toContain('\u001b');
  });

  it('answers the second command of the README', async () => {
    const said = await devmesh.run(['test', '--only', 'checks', 'lockfile']);
    expect(said).toMatchObject({ code: 0 });
    expect(said.stdout).toMatch(/\n1 passed, 0 failed\n$/);
  });
});

describe('what deliver finds in the sample', () => {
  it('passes', () => {
    expect(code).toBe(0);
    expect(result).toMatchObject({ exitCode: 0, run: { workflow: 'deliver', status: 'ended', verdict: 'passed' } });
  });

  it('has every planted defect, with its class and severity, and nothing else', () => {
    const findings = findingsOf('review', 1);
    const shown = expected.defects.map((defect) => ({
      id: defect.id,
      // Two defects may share a line.
      found: findingsAt(findings, defect.path, lineOf(repository, defect))
        .filter((found) => found.class === defect.class)
        .map((found) => ({ class: found.class, severity: found.severity, fix: found.fix !== undefined })),
    }));
    expect(shown).toEqual(
      expected.defects.map(({ id, class: name, severity, fix }) => ({ id, found: [{ class: name, severity, fix }] })),
    );
    expect(findings).toHaveLength(expected.defects.length);
  });

  it.each(['review', 'verify'])('has nothing on a twin in what %s says', (step) => {
    const iteration = step === 'review' ? 1 : expected.rounds;
    const findings = findingsOf(step, iteration);
    expect(findings).not.toEqual([]);
    for (const twin of expected.twins)
      expect(findingsAt(findings, twin.path, lineOf(repository, twin)), twin.of).toEqual([]);
  });

  it('leaves, on the branch, what has no safe fix', () => {
    const left = findingsOf('verify', expected.rounds).map((finding) => finding.class);
    const unfixable = expected.defects.filter(({ fix }) => !fix).map((defect) => defect.class);
    expect(left.toSorted()).toEqual(unfixable.toSorted());
    expect(result.run.findings).toEqual({ critical: 2, high: 3, medium: 1, low: 0, info: 0 });
  });

  it('has the stack: entry points, ports, commands and services, each with evidence', () => {
    const completed = eventsOfType('StepCompleted').find(({ step }) => step === 'infrastructure');
    const output = completed?.outcome.kind === 'succeeded' ? completed.outcome.output : {};
    const { components } = infrastructureGenerate.output.parse(output).stack;
    const shown = components.map((component) => {
      const { root, name, language, services, ...facts } = component;
      const told = Object.entries(facts).map(([fact, given]) => [fact, given?.value] as const);
      return { root, name, language, ...Object.fromEntries(told), services: services.map(({ value }) => value) };
    });
    expect(shown).toHaveLength(expected.stack.length);
    for (const component of expected.stack)
      expect(shown.find(({ root }) => root === component.root)).toMatchObject(component);
  });
});

describe('what deliver changes in the sample', () => {
  it('takes the rejection loop once: the fix that lies inside another comes with the second round', () => {
    const [rework, ...more] = eventsOfType('ReworkStarted');
    expect(more).toEqual([]);
    expect(rework).toMatchObject({ by: 'verify', on: 'rejection', target: 'implement', round: 1 });
    const iterations = eventsOfType('StepScheduled').flatMap(({ step, iteration }) =>
      step === 'implement' ? [iteration] : [],
    );
    expect(iterations).toEqual(Array.from({ length: expected.rounds }, (_, i) => i + 1));
    const rounds = commitsAbove(repository, 'HEAD', branch()).filter(
      ({ trailers }) => trailers['Devmesh-Step'] === 'implement',
    );
    expect(rounds).toHaveLength(expected.rounds);
    for (const [index, { commit }] of rounds.entries()) {
      const fixed = expected.defects.filter(({ round }) => round === index + 1).map(({ path }) => path);
      expect([...changedFiles(`${commit}^`, commit).keys()].sort()).toEqual([...new Set(fixed)].sort());
    }
  });

  it('writes and changes the expected files, and no other', () => {
    const files = changedFiles('HEAD', branch());
    const wanted = [
      ...expected.files.written.map((path) => `A ${path}`),
      ...expected.files.changed.map((path) => `M ${path}`),
    ];
    expect([...files].map(([path, kind]) => `${kind} ${path}`).sort()).toEqual(wanted.sort());
    const [infrastructure] = commitsAbove(repository, 'HEAD', branch());
    const written = changedFiles('HEAD', infrastructure?.commit ?? '');
    for (const kept of expected.files.kept) expect(written.has(kept), kept).toBe(false);
  });

  it('makes a branch with a commit per accepted change, each with run, step, agent and patch in trailers', () => {
    expect(resultBranches(repository)).toEqual([branch()]);
    const commits = commitsAbove(repository, 'HEAD', branch());
    expect(commits.map(({ trailers }) => [trailers['Devmesh-Step'], trailers['Devmesh-Agent']])).toEqual([
      ['infrastructure', 'infrastructure'],
      ['cicd', 'cicd'],
      ['documentation', 'documentation'],
      ['implement', 'feature-dev'],
      ['implement', 'feature-dev'],
    ]);
    for (const { trailers } of commits) {
      expect(trailers['Devmesh-Run']).toBe(result.run.id);
      expect(artifacts.map(({ digest }) => digest)).toContain(trailers['Devmesh-Patch']);
    }
    expect(userGit(repository, ['rev-parse', branch()])).toBe(result.run.result?.commit);
    expect(result.delivered).toMatchObject({ branch: branch(), commits: commits.length });
    expect(userGit(repository, ['fsck', '--strict', '--no-dangling'])).toBe('');
  });

  it('hands back report, SARIF, and every artifact by its digest', () => {
    const report = readFileSync(inFolder('report.md'), 'utf8');
    expect(report).toContain('Verdict: **passed**');
    for (const { commit, subject } of commitsAbove(repository, 'HEAD', branch())) {
      expect(report).toContain(commit.slice(0, 12));
      expect(report).toContain(subject.slice(0, 20));
    }
    // Of all rounds, each once.
    const fixes = /## Safe fixes\n([\s\S]*?)\n## /.exec(report)?.[1] ?? '';
    const mended = expected.defects.filter(({ fix }) => fix);
    for (const { path } of mended) expect(fixes).toContain(`\`${path}:`);
    expect(fixes.match(/^\| `/gm)).toHaveLength(mended.length);
    const sarif = JSON.parse(readFileSync(inFolder('findings.sarif'), 'utf8')) as {
      version: string;
      runs: { results: unknown[] }[];
    };
    expect(sarif.version).toBe('2.1.0');
    expect(sarif.runs[0]?.results).toHaveLength(6);
    expect(artifacts.length).toBeGreaterThan(10);
    for (const { digest, size } of artifacts) {
      const content = readFileSync(inFolder('artifacts', digest));
      expect(content).toHaveLength(size);
      expect(createHash('sha256').update(content).digest('hex')).toBe(digest);
    }
  });

  it('touches nothing of the repository but the new branch', () => {
    expect(otherChanges(before, after)).toEqual([]);
    expect(treeChanges(before, after)).toContain(`+.git/refs/heads/${branch()}`);
    expect(userGit(repository, ['status', '--porcelain=v1', '--branch'])).toBe('## main...origin/main');
  });

  it('leaves no temporary file and no process beside the mesh', () => {
    expect(temporaryFiles(devmesh)).toEqual([]);
    expect(strayProcesses(devmesh)).toEqual([]);
  });

  it('proposes nothing in a second run on the result', async () => {
    const digest = await treeDigest(repository);
    const again = await devmesh.run(['run', '--repo', repository, '--ref', branch()]);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toMatch(/^ {2}branch {4}none: nothing had to be changed$/m);
    expect(treeChanges(digest, await treeDigest(repository))).toEqual([]);
  });
});

describe('other workflows', () => {
  it('review reports only, and its rejection is the exit code', async () => {
    const digest = await treeDigest(repository);
    const said = await devmesh.json<RunResult>(['run', '--repo', repository, '--workflow', 'review']);
    expect(said.code).toBe(1);
    expect(said.data.run).toMatchObject({ verdict: 'rejected', result: null, findings: { critical: 2, high: 7 } });
    expect(readFileSync(said.data.delivered?.report ?? '', 'utf8')).toContain('Verdict: **rejected**');
    expect(treeChanges(digest, await treeDigest(repository))).toEqual([]);
  });

  it('feature_implementation runs as it is written, and is sent back three times at most', async () => {
    const mine = join(devmesh.folder, 'feature');
    userGit(devmesh.folder, ['clone', '--quiet', repository, mine]);
    const args = ['run', '--repo', mine, '--workflow', 'feature_implementation', 'Take gift cards'];
    const said = await devmesh.json<RunResult>(args);
    expect(said.data.run).toMatchObject({ verdict: 'rejected', task: 'Take gift cards' });
    expect(said.code).toBe(1);
    const heard = await eventsOf(devmesh, said.data.run.id);
    expect(eventsOfType('ReworkStarted', heard).map(({ by, target, round }) => [by, target, round])).toEqual([
      ['code-review', 'feature-dev', 1],
      ['code-review', 'feature-dev', 2],
      ['code-review', 'feature-dev', 3],
    ]);
    expect(eventsOfType('StepSkipped', heard).map(({ step }) => step)).toEqual(['cicd']);
    // What could be mended is there to be looked at, whatever the verdict.
    expect(resultBranches(mine)).toEqual([`devmesh/${said.data.run.id}`]);
  });

  it('a task of two parts is planned into parallel steps, and the plan says why', async () => {
    const mine = join(devmesh.folder, 'planned');
    userGit(devmesh.folder, ['clone', '--quiet', repository, mine]);
    const said = await devmesh.run(['run', '--repo', mine, 'Build feature X AND deploy infrastructure Y']);
    expect(said).toMatchObject({ code: 0, stderr: '' });
    expect(said.stdout).toContain('feature-dev: "Build feature X" says "Build", which is work for feature-dev');
    expect(said.stdout).toContain(
      'infrastructure: "deploy infrastructure Y" says "deploy", which is work for infrastructure',
    );
    const shown = await devmesh.json<{ run: RunResult['run'] }>(['show', 'last']);
    const needs = new Map(shown.data.run.steps.map((step) => [step.id, step.needs]));
    expect(needs.get('feature-dev')).toEqual([]);
    expect(needs.get('infrastructure')).toEqual([]);
    expect(shown.data.run.plan?.map(({ step }) => step)).toEqual(
      expect.arrayContaining(['feature-dev', 'infrastructure']),
    );
  });
});
