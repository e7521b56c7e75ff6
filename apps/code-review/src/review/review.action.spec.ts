import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import type { Log } from 'sarif';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ActionBench } from '@devmesh/agent-kit/testing/test-context';
import { codeReviewReview } from '@devmesh/contracts/actions/code-review';
import type { ArtifactRef } from '@devmesh/contracts/artifact';
import { SeenFindings, type FindingHistory } from '@devmesh/contracts/finding-fate';
import { FindingsDocument, type SeverityCounts } from '@devmesh/contracts/finding';
import { commitAll, makeRepository, removeAll, userGit } from '@devmesh/repository/testing/sample-git';
import { createActions } from '../actions.js';
import { SARIF_SCHEMA } from '../testing/sarif-schema.js';
import { reviewAction } from './review.action.js';

const ajv = new Ajv({ strict: true, allowUnionTypes: true, strictTypes: false, strictRequired: false });
addFormats.default(ajv);
const isSarif = ajv.compile(SARIF_SCHEMA);

const FILES = [
  ['src/a b#1.py', 'import requests\nrequests.get("https://a.example", verify=False, timeout=9)\n'],
  ['src/run.js', "import { exec } from 'node:child_process';\nexport const f = (x) => exec(`ls ${x}`);\n"],
  ['Dockerfile', 'FROM node:24\nADD a.js /\nUSER node\n'],
  ['broken.ts', 'const = ;; }{ (\n'],
  ['key.txt', `token: ${['ghp', 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'].join('_')}\n`],
] as const;

let bench: ActionBench;
let folder: string;
const recorded: SeverityCounts[] = [];
const NO_HISTORY: FindingHistory = { precision: [], rejected: [] };
let history: () => Promise<FindingHistory>;
let kept: { runId: string; seen: SeenFindings }[];
let warnings: string[];
const action = reviewAction({
  recordFindings: (counts) => recorded.push(counts),
  fates: {
    history: () => history(),
    record: async (runId, seen) => void kept.push({ runId, seen: SeenFindings.parse(seen) }),
  },
  warn: (message) => warnings.push(message),
});

beforeEach(() => {
  bench = new ActionBench();
  folder = makeRepository(FILES);
  recorded.length = 0;
  history = async () => NO_HISTORY;
  kept = [];
  warnings = [];
});
afterEach(async () => {
  await bench.dispose();
  removeAll(folder);
});

interface Asked {
  readonly rejectAt?: 'critical' | 'high' | 'medium';
  readonly rejectOn?: 'all' | 'fixable';
  readonly fixHistory?: ArtifactRef;
}

async function review(input: Asked = {}) {
  const repository = await bench.submit(folder);
  const parsed = codeReviewReview.input.parse({ repository, ...input });
  return codeReviewReview.output.parse(await action.run(bench.context(parsed)));
}

const sarifOf = (ref: ArtifactRef) => JSON.parse(bench.read(ref).toString()) as Log;

describe('a review', () => {
  it('gives findings, counts, a verdict and the tree that it looked at', async () => {
    const output = await review();
    const { findings } = FindingsDocument.parse(JSON.parse(bench.read(output.findings).toString()));
    expect(findings.map(({ class: kind, location }) => [location.path, kind])).toEqual([
      ['Dockerfile', 'docker-copy'],
      ['key.txt', 'hardcoded-secret'],
      ['src/a b#1.py', 'tls-verify-off'],
      ['src/run.js', 'command-injection'],
    ]);
    expect(output).toMatchObject({
      verdict: 'rejected',
      counts: { critical: 2, high: 1, medium: 0, low: 1, info: 0 },
      fixable: 2,
      filesReviewed: 5,
      filesSkipped: 0,
      summary: '4 findings (2 critical, 1 high, 1 low); rejected: 3 at high or worse',
    });
    expect(recorded).toEqual([output.counts]);
    expect(bench.progress).toContain('reviewing');
  });

  it('judges by what it was asked to', async () => {
    expect((await review({ rejectAt: 'critical', rejectOn: 'fixable' })).verdict).toBe('approved');
    expect((await review({ rejectAt: 'high', rejectOn: 'fixable' })).verdict).toBe('rejected');
    expect((await review({ rejectAt: 'critical' })).verdict).toBe('rejected');
  });

  it('offers no fix again that was tried and dropped, so that nothing is left to mend', async () => {
    const asked = { rejectAt: 'high', rejectOn: 'fixable' } as const;
    const before = await review(asked);
    const { findings } = FindingsDocument.parse(JSON.parse(bench.read(before.findings).toString()));
    const dropped = findings
      .filter(({ fix }) => fix !== undefined)
      .map(({ rule, location, fingerprint }) => ({
        rule,
        path: location.path,
        line: location.startLine,
        fingerprint,
        reason: 'a test went red',
        round: 1,
      }));
    const fixHistory = bench.put(Buffer.from(JSON.stringify({ version: 1, fixed: [], dropped })), {
      name: 'fix-history.json',
      mediaType: 'application/json',
    });
    const after = await review({ ...asked, fixHistory });
    expect(after).toMatchObject({ verdict: 'approved', fixable: 0, counts: before.counts, fixHistory });
    expect(after.summary).toContain('2 with a fix that was tried and dropped');
    // Without being asked for what can be mended only, they still speak against the tree.
    expect((await review({ fixHistory })).verdict).toBe('rejected');
  });

  it('approves a clean tree', async () => {
    removeAll(folder);
    folder = makeRepository([['a.py', 'print(1)\n']]);
    expect(await review()).toMatchObject({
      verdict: 'approved',
      fixable: 0,
      summary: 'no findings; approved: none at high or worse',
    });
  });

  it('gives the same bytes twice', async () => {
    const [a, b] = [await review(), await review()];
    expect([a.findings.digest, a.sarif.digest]).toEqual([b.findings.digest, b.sarif.digest]);
  });

  it('shows no secret anywhere', async () => {
    const output = await review();
    for (const ref of [output.findings, output.sarif]) expect(bench.read(ref).toString()).not.toContain('a1B2c3D4e5');
    expect(JSON.stringify(output)).not.toContain('a1B2c3D4e5');
  });

  it('does not follow links', async () => {
    mkdirSync(join(folder, 'src/deep'));
    writeFileSync(join(folder, 'src/deep/x.py'), 'eval(input())\n');
    symlinkSync('deep/x.py', join(folder, 'src/link.py'));
    symlinkSync('/etc', join(folder, 'src/etc'));
    commitAll(folder, 'Links');
    const output = await review();
    const { findings } = FindingsDocument.parse(JSON.parse(bench.read(output.findings).toString()));
    expect(findings.filter(({ location }) => location.path.includes('link') || location.path.includes('etc'))).toEqual(
      [],
    );
    expect(output.filesSkipped).toBe(2);
  });
});

describe('what became of findings', () => {
  const states = () => kept.map(({ seen }) => seen.findings.map(({ path, state }) => [path, state]));

  it('is kept for the commit that the run began with, with what is not told', async () => {
    mkdirSync(join(folder, '.devmesh'));
    writeFileSync(join(folder, '.devmesh/review.yaml'), 'version: 1\nrules: { docker-copy: off }\n');
    writeFileSync(join(folder, 'src/run.js'), FILES[1][1].replace('\n', '\n// devmesh-ignore command-injection\n'));
    commitAll(folder, 'Settings');
    await review();
    expect(states()).toEqual([
      [
        ['key.txt', 'told'],
        ['src/a b#1.py', 'told'],
        ['src/run.js', 'told'],
        ['Dockerfile', 'suppressed'],
      ],
    ]);
    expect(kept[0]!.seen.unsure).toEqual(['broken.ts']);
  });

  it('silences what people have rejected, and goes on being kept', async () => {
    const first = await review();
    const { findings } = FindingsDocument.parse(JSON.parse(bench.read(first.findings).toString()));
    const { fingerprint } = findings.find(({ location }) => location.path === 'key.txt')!;
    history = async () => ({ precision: [], rejected: [{ fingerprint, reason: 'a sample' }] });
    const second = await review();
    expect(second).toMatchObject({ suppressed: 1, counts: { critical: 1 } });
    expect(second.summary).toMatch(/1 rejected by a person/);
    expect(states()[1]).toContainEqual(['key.txt', 'untold']);
  });

  it('is missed without failing the review', async () => {
    history = () => Promise.reject(new Error('away'));
    expect(await review()).toMatchObject({ verdict: 'rejected' });
    expect(warnings).toEqual(['a review goes on without what people have said of findings']);
  });
});

describe('a review with a base', () => {
  it('tells and judges what the branch brings in', async () => {
    const submitted = await bench.submit(folder);
    writeFileSync(join(folder, 'src/new.py'), 'import os\nos.system("ls " + input())\n');
    const commit = commitAll(folder, 'More');
    const bundle = join(folder, '.git', 'more.bundle');
    userGit(folder, ['bundle', 'create', '--quiet', bundle, 'HEAD', `^${submitted.commit}`]);
    const { digest } = bench.put({ file: bundle }, { name: 'b', mediaType: 'application/octet-stream' });
    const repository = { ...submitted, bundles: [...submitted.bundles, digest], commit };
    const run = async (base: string) =>
      codeReviewReview.output.parse(
        await action.run(bench.context(codeReviewReview.input.parse({ repository, base }))),
      );
    const output = await run('run');
    const { findings } = FindingsDocument.parse(JSON.parse(bench.read(output.findings).toString()));
    expect(findings.map(({ location }) => location.path)).toEqual(['src/new.py']);
    expect(output).toMatchObject({ verdict: 'rejected', filesReviewed: 1, existing: 0, fixed: 0 });
    expect(kept).toEqual([]);
    expect(await run(commit)).toMatchObject({ verdict: 'approved', filesReviewed: 0 });
    await expect(run('1'.repeat(40))).rejects.toThrow(/not among what was handed over/);
  });
});

describe('SARIF', () => {
  it('is valid, with one rule a descriptor and fixes in bytes', async () => {
    const log = sarifOf((await review()).sarif);
    expect(isSarif(log), JSON.stringify(isSarif.errors)).toBe(true);
    const [run] = log.runs;
    for (const result of run!.results!) {
      expect(run!.tool.driver.rules![result.ruleIndex!]!.id).toBe(result.ruleId);
    }
    const tls = run!.results!.find(({ ruleId }) => ruleId === 'py-certificates-not-checked')!;
    expect(tls.locations![0]!.physicalLocation!.artifactLocation!.uri).toBe('src/a%20b%231.py');
    expect(tls.fixes![0]!.artifactChanges[0]!.replacements).toEqual([
      { deletedRegion: { byteOffset: FILES[0][1].indexOf('False'), byteLength: 5 }, insertedContent: { text: 'True' } },
    ]);
  });

  it('shows the way of data, through files', async () => {
    removeAll(folder);
    folder = makeRepository([
      ['src/app.js', "import { find } from './store.js';\nexport const f = (req, res) => find(req.query.id);\n"],
      [
        'src/store.js',
        "import { pool } from './db.js';\nexport function find(id) {\n  return pool.query(sqlOf(id));\n}\nfunction sqlOf(id) {\n  return ['select * from u where id =', id].join(' ');\n}\n",
      ],
    ]);
    const log = sarifOf((await review()).sarif);
    expect(isSarif(log), JSON.stringify(isSarif.errors)).toBe(true);
    const [result] = log.runs[0]!.results!;
    expect(result).toMatchObject({ ruleId: 'js-sql-from-request' });
    const places = result!.codeFlows![0]!.threadFlows[0]!.locations!.map(({ location }) => [
      location!.physicalLocation!.artifactLocation!.uri,
      location!.physicalLocation!.region!.startLine,
    ]);
    expect(places[0]).toEqual(['src/app.js', 2]);
    expect(places.at(-1)).toEqual(['src/store.js', 3]);
  });

  it('keeps what is suppressed, with why, and ranks', async () => {
    writeFileSync(
      join(folder, 'src/run.js'),
      FILES[1][1].replace('\n', '\n// devmesh-ignore command-injection: a test tool\n'),
    );
    commitAll(folder, 'Known');
    const output = await review();
    expect(output).toMatchObject({ suppressed: 1, counts: { critical: 1 } });
    const log = sarifOf(output.sarif);
    expect(isSarif(log), JSON.stringify(isSarif.errors)).toBe(true);
    const results = log.runs[0]!.results!;
    expect(results.filter(({ suppressions }) => suppressions)).toMatchObject([
      { suppressions: [{ kind: 'inSource', status: 'accepted', justification: 'a test tool' }] },
    ]);
    const byRank = results.toSorted((a, b) => b.rank! - a.rank!).map(({ level }) => level);
    expect(byRank).toEqual(['error', 'error', 'error', 'note']);
  });

  it('is valid without findings', async () => {
    removeAll(folder);
    folder = makeRepository([['a.py', 'print(1)\n']]);
    expect(isSarif(sarifOf((await review()).sarif))).toBe(true);
  });

  it.each([
    ['a missing version', (log: Log) => Reflect.deleteProperty(log, 'version')],
    ['a line 0', (log: Log) => (log.runs[0]!.results![0]!.locations![0]!.physicalLocation!.region!.startLine = 0)],
    ['an unknown level', (log: Log) => (log.runs[0]!.results![0]!.level = 'fatal' as never)],
    [
      'a blank in a uri',
      (log: Log) => (log.runs[0]!.results![0]!.locations![0]!.physicalLocation!.artifactLocation!.uri = 'a b'),
    ],
    ['a member of its own', (log: Log) => Object.assign(log.runs[0]!.results![0]!, { severity: 'high' })],
    ['a result without message', (log: Log) => Reflect.deleteProperty(log.runs[0]!.results![0]!, 'message')],
  ])('would not be valid with %s', async (_, spoil) => {
    const log = sarifOf((await review()).sarif);
    spoil(log);
    expect(isSarif(log)).toBe(false);
  });
});

it('offers every action of its contract', () => {
  expect(
    createActions({
      recordFindings: () => {},
      fates: { history: async () => NO_HISTORY, record: async () => {} },
      warn: () => {},
    }).map(({ contract }) => contract.id),
  ).toEqual(['code-review/review']);
});
