import type { FindingHistory, RulePrecision } from '@devmesh/contracts/finding-fate';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { baselineText } from '../policy/baseline.js';
import { tempTree, type TempTree } from '../testing/temp-tree.js';
import { reviewProject, type ProjectReviewOptions } from './review-project.js';

const VERIFY = 'requests.get("https://a.example", verify=False, timeout=9)';
const PY = `import requests\n${VERIFY}\n`;
const NOW = Date.parse('2026-06-15T12:00:00Z');

let tree: TempTree;
afterEach(() => tree.remove());

type Files = Readonly<Record<string, string>>;

async function review(files: Files, options: Partial<ProjectReviewOptions> = {}) {
  tree = tempTree(files);
  return reviewProject(tree.path, { nowMs: NOW, ...options });
}

const rulesOf = (found: { findings: readonly { rule: string }[] }) => found.findings.map(({ rule }) => rule);

describe('a project without settings', () => {
  it('is judged at high', async () => {
    expect(await review({ 'a.py': PY })).toMatchObject({
      verdict: 'rejected',
      summary: '1 finding (1 high); rejected: 1 at high or worse',
      problems: [],
    });
  });
});

describe('a policy', () => {
  const policy = (text: string, more: Files = {}): Files => ({
    'a.py': PY,
    '.devmesh/review.yaml': `version: 1\n${text}`,
    ...more,
  });

  it('sets the threshold, unless it is asked for', async () => {
    expect((await review(policy('reject_at: critical\n'))).verdict).toBe('approved');
    tree.remove();
    expect((await review(policy('reject_at: never\n'))).summary).toMatch(/approved: the policy rejects nothing/);
    tree.remove();
    expect((await review(policy('reject_at: never\n'), { rejectAt: 'info' })).verdict).toBe('rejected');
  });

  it('counts what it leaves out', async () => {
    const found = await review(policy('rules: {tls-verify-off: off}\n'));
    expect(found).toMatchObject({ verdict: 'approved', findings: [], off: [{}] });
    expect(found.summary).toMatch(/1 of rules or paths that are off/);
  });

  it('rejects when it is broken, and the review goes on without it', async () => {
    const found = await review(policy('reject_at: nevr\nrules: {tls-verify-off: off}\n'));
    expect(found.verdict).toBe('rejected');
    expect(found.summary).toMatch(/^broken settings: \.devmesh\/review\.yaml:2:1: `reject_at`: say one of/);
    expect(rulesOf(found)).toEqual(['review-settings-invalid', 'py-certificates-not-checked']);
    expect(found.findings[0]?.location).toMatchObject({ path: '.devmesh/review.yaml', startLine: 2 });
  });

  it('is not read through a link', async () => {
    tree = tempTree({ 'a.py': 'print(1)\n', 'else.yaml': 'version: 1\nreject_at: never\n' });
    mkdirSync(join(tree.path, '.devmesh'));
    symlinkSync('../else.yaml', join(tree.path, '.devmesh/review.yaml'));
    const found = await reviewProject(tree.path, { nowMs: NOW });
    expect(found.verdict).toBe('rejected');
    expect(found.summary).toMatch(/it must be a file, not a link/);
  });
});

describe('a comment', () => {
  const line = (comment: string): Files => ({ 'a.py': `import requests\n${VERIFY}  # ${comment}\n` });

  it('silences with a reason, until its day is over', async () => {
    const found = await review(line('devmesh-ignore py-certificates-not-checked: test host (until 2026-06-15)'));
    expect(found).toMatchObject({
      verdict: 'approved',
      findings: [],
      suppressed: [{ by: 'comment', reason: 'test host' }],
    });
    expect(found.summary).toMatch(/1 suppressed by comments/);
  });

  it.each([
    ['devmesh-ignore tls-verify-off', 'suppression-without-reason'],
    ['devmesh-ignore tls-verify-off: x (until 2026-06-14)', 'suppression-expired'],
    ['devmesh-ignore tls-verify-off: x (until 2026-02-31)', 'suppression-expired'],
    ['devmesh-ignore tls-verify-of: x', 'suppression-of-unknown-rule'],
    ['devmesh-ignore', 'suppression-of-unknown-rule'],
  ])('of %j is told itself, and silences nothing', async (comment, rule) => {
    const found = await review(line(comment));
    expect(rulesOf(found).sort()).toEqual(['py-certificates-not-checked', rule]);
    expect(found.findings.find((one) => one.rule === rule)).toMatchObject({
      severity: 'low',
      location: { startLine: 2 },
    });
  });

  it('is about its own rule and line', async () => {
    const files = {
      'a.py': `import requests\n# devmesh-ignore py-weak-hash: x\n${VERIFY}\n# devmesh-ignore tls-verify-off: y\nprint(1)\n`,
    };
    expect(rulesOf(await review(files))).toEqual(['py-certificates-not-checked']);
  });
});

describe('a baseline', () => {
  it('is not told, and says what no longer matches', async () => {
    const first = await review({ 'a.py': PY, 'b.py': PY });
    writeFileSync(join(tree.path, 'b.py'), 'print(1)\n');
    mkdirSync(join(tree.path, '.devmesh'));
    writeFileSync(join(tree.path, '.devmesh/baseline.json'), baselineText(first.findings));
    writeFileSync(join(tree.path, 'a.py'), `import requests\n\nprint(2)\n${VERIFY}\n`);
    const second = await reviewProject(tree.path, { nowMs: NOW });
    expect(second).toMatchObject({
      verdict: 'approved',
      findings: [],
      staleBaseline: 1,
      suppressed: [{ by: 'baseline' }],
    });
    writeFileSync(join(tree.path, '.devmesh/baseline.json'), '{"version": 1}');
    expect(await reviewProject(tree.path, { nowMs: NOW })).toMatchObject({
      verdict: 'rejected',
      problems: [{ line: 1 }],
    });
    rmSync(join(tree.path, '.devmesh'), { recursive: true });
  });
});

describe('a change', () => {
  const OFF = 'version: 1\nrules: {tls-verify-off: off}\n';
  const change = (files: readonly { path: string | null; before?: string; at?: number }[]) => ({
    files: files.map(({ path, before, at }) => ({
      path,
      basePath: before === undefined ? null : path,
      hunks: at === undefined ? [] : [{ baseStart: at, baseLines: 0, start: at, lines: 1 }],
    })),
    baseContents: new Map(
      files.flatMap(({ path, before }) =>
        path === null || before === undefined ? [] : [[path, Buffer.from(before)] as const],
      ),
    ),
  });

  it('is held to the policy of its base', async () => {
    const added = await review(
      { 'a.py': PY, '.devmesh/review.yaml': OFF },
      { change: change([{ path: 'a.py' }, { path: '.devmesh/review.yaml' }]) },
    );
    expect(rulesOf(added)).toEqual(['py-certificates-not-checked']);
    tree.remove();
    const kept = await review({ 'a.py': PY, '.devmesh/review.yaml': OFF }, { change: change([{ path: 'a.py' }]) });
    expect(kept).toMatchObject({ verdict: 'approved', findings: [], off: [{}] });
    tree.remove();
    const edited = await review(
      { 'a.py': PY, '.devmesh/review.yaml': 'version: 1\n' },
      { change: change([{ path: 'a.py' }, { path: '.devmesh/review.yaml', before: OFF, at: 2 }]) },
    );
    expect(edited).toMatchObject({ verdict: 'approved', off: [{}] });
  });

  it('may mend a broken policy, and may not break one', async () => {
    const files = { 'a.py': 'print(1)\n', '.devmesh/review.yaml': 'version: 1\n' };
    const mended = await review(files, { change: change([{ path: '.devmesh/review.yaml', before: 'version: 7\n' }]) });
    expect(mended.verdict).toBe('approved');
    tree.remove();
    const broken = await review(
      { ...files, '.devmesh/review.yaml': 'version: 7\n' },
      { change: change([{ path: '.devmesh/review.yaml', before: 'version: 1\n' }]) },
    );
    expect(broken).toMatchObject({ verdict: 'rejected', problems: [{ path: '.devmesh/review.yaml' }] });
  });

  it('can not silence itself by a comment, unless the base lets it', async () => {
    const files = { 'a.py': `${PY.trimEnd()} # devmesh-ignore tls-verify-off: trust me\n` };
    const own = change([{ path: 'a.py' }]);
    const found = await review(files, { change: own });
    expect(rulesOf(found)).toEqual(['py-certificates-not-checked']);
    expect(found.summary).toMatch(/1 with a comment of this change, which counts once it is in the base/);
    tree.remove();
    const accepted = { ...files, '.devmesh/review.yaml': 'version: 1\nnew_suppressions: accept\n' };
    expect((await review(accepted, { change: own })).findings).toEqual([]);
  });
});

describe("a project's own rules", () => {
  const RULES = `version: 1
rules:
  - id: acme-host
    class: tls-verify-off
    cwe: 295
    severity: low
    confidence: low
    languages: [python]
    message: Every call of the old host is to be replaced. Use the new one.
    match: [{ find: { kind: call }, where: [{ callee: [requests.get] }] }]
    examples:
      bad: [${["'import requests\\nrequests.get(a)'", "'import requests as r\\nr.get(a)'", "'from requests import get\\nget(a)'"].join(', ')}]
      good: [requests.post(a), get(a), b.get(a)]
models:
  - { language: python, sources: [{ names: acme.param, note: a parameter }] }
`
    .replaceAll("'import", '"import')
    .replaceAll("'from", '"from')
    .replaceAll("(a)'", '(a)"');
  const WITHOUT_MODELS = RULES.slice(0, RULES.indexOf('models:'));
  const FILES = {
    'a.py': PY,
    'b.py': 'import requests, acme\nrequests.get("https://a.example", timeout=3)\nopen("/x/" + acme.param("x"))\n',
  };

  it('are run beside the shipped ones; one defect is told once', async () => {
    const found = await review({ ...FILES, '.devmesh/rules/a.yaml': WITHOUT_MODELS });
    expect(found.problems).toEqual([]);
    expect(rulesOf(found)).toEqual(['py-certificates-not-checked', 'acme-host']);
  });

  it('teach the shipped ones', async () => {
    const found = await review({ ...FILES, '.devmesh/rules/a.yaml': RULES });
    expect(rulesOf(found)).toEqual(['py-certificates-not-checked', 'acme-host', 'py-path-from-request']);
  });

  it('count for a change when they are in its base', async () => {
    const files = { ...FILES, '.devmesh/rules/a.yaml': RULES };
    const added = (path: string) => ({ path, basePath: null, hunks: [] });
    const change = { files: [added('b.py')], baseContents: new Map<string, Buffer>() };
    expect(rulesOf(await review(files, { change }))).toEqual(['acme-host', 'py-path-from-request']);
    tree.remove();
    const own = { ...change, files: [added('b.py'), added('.devmesh/rules/a.yaml')] };
    expect((await review(files, { change: own })).findings).toEqual([]);
  });
});

describe('what people have said', () => {
  const RULE = 'py-certificates-not-checked';
  const counts = { open: 0, accepted: 0, fixed: 0, suppressed: 0, confirmed: 0, rejected: 0 };
  const precision = (fixed: number, rejected: number): RulePrecision => ({
    ...counts,
    rule: RULE,
    fixed,
    rejected,
    judged: fixed + rejected,
    precision: fixed / (fixed + rejected),
  });
  const history = (one: RulePrecision): FindingHistory => ({ precision: [one], rejected: [] });

  it('silences a rule that they reject, and names it', async () => {
    const found = await review({ 'a.py': PY }, { history: history(precision(4, 6)) });
    expect(found).toMatchObject({ verdict: 'approved', findings: [], silentRules: [RULE] });
    expect(found.summary).toMatch(/1 of silent rules \(py-certificates-not-checked\)/);
  });

  it.each([
    ['too few were judged', precision(3, 6), ''],
    ['enough were right', precision(5, 5), ''],
    ['the policy asks for more', precision(4, 6), 'precision: { judged: 11, below: 0.5 }\n'],
    ['the policy asks for less', precision(4, 6), 'precision: { judged: 10, below: 0.3 }\n'],
  ])('leaves it alone when %s', async (_, one, policy) => {
    const files = { 'a.py': PY, '.devmesh/review.yaml': `version: 1\n${policy}` };
    expect(rulesOf(await review(files, { history: history(one) }))).toEqual([RULE]);
  });

  it('silences the very finding that was rejected', async () => {
    const first = await review({ 'a.py': `${PY}requests.get("https://b.example", verify=False, timeout=9)\n` });
    const [one] = first.findings;
    const rejected = [{ fingerprint: one!.fingerprint, reason: 'a test host' }];
    const second = await reviewProject(tree.path, { nowMs: NOW, history: { precision: [], rejected } });
    expect(second.findings).toHaveLength(1);
    expect(second.suppressed).toMatchObject([{ by: 'person', reason: 'a test host' }]);
    expect(second.summary).toMatch(/1 rejected by a person/);
  });
});
