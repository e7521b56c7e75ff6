import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeRepository, removeAll, writeFiles } from '@devmesh/repository/testing/sample-git';
import { runCli } from '../program.js';
import { fakeContext, type FakeContext } from '../testing/fake-context.js';

const VERIFY = 'import requests\nrequests.get("https://a.example", verify=False, timeout=9)\n';

let folder: string;
let context: FakeContext;
beforeEach(() => {
  folder = makeRepository([
    ['a.py', VERIFY],
    ['sub/b.py', 'print(1)\n'],
  ]);
  context = fakeContext({ cwd: folder });
});
afterEach(() => {
  removeAll(folder);
  rmSync(context.home.root, { recursive: true, force: true });
});

const json = () =>
  JSON.parse(context.out.text()) as { verdict: string; existing: number; findings: { location: { path: string } }[] };

describe('devmesh review', () => {
  it('reviews a folder as it is, shows what it found, and fails', async () => {
    expect(await runCli(context, ['review', '--sarif', 'out.sarif'])).toBe(1);
    expect(context.out.text()).toMatch(/a\.py:2:1 high py-certificates-not-checked\n/);
    expect(context.out.text()).toMatch(/1 finding \(1 high\); rejected/);
    expect(JSON.parse(readFileSync(join(folder, 'out.sarif'), 'utf8'))).toMatchObject({ version: '2.1.0' });
  });

  it('tells with a base only what is new, committed or not', async () => {
    expect(await runCli(context, ['review', '--base', 'HEAD'])).toBe(0);
    expect(context.out.text()).toMatch(/no findings.*\nsince HEAD: 0 were there before, 0 are gone/);
    writeFiles(folder, [['new.py', VERIFY]]);
    writeFileSync(join(folder, 'a.py'), `# a comment\n${VERIFY}`);
    const again = fakeContext({ cwd: folder, home: context.home });
    expect(await runCli(again, ['review', '--base', 'HEAD', '--json'])).toBe(1);
    context = again;
    expect(json()).toMatchObject({ verdict: 'rejected', existing: 1, findings: [{ location: { path: 'new.py' } }] });
  });

  it('keeps to the folder that it was asked for', async () => {
    writeFiles(folder, [['new.py', VERIFY]]);
    mkdirSync(join(folder, 'sub'), { recursive: true });
    expect(await runCli(context, ['review', 'sub', '--base', 'HEAD', '--json'])).toBe(0);
    expect(json()).toMatchObject({ verdict: 'approved', findings: [] });
  });

  it('begins anew with a baseline, and keeps what it held', async () => {
    expect(await runCli(context, ['review', '--write-baseline'])).toBe(0);
    expect(context.out.text()).toBe('1 finding in .devmesh/baseline.json: commit it\n');
    const before = readFileSync(join(folder, '.devmesh/baseline.json'), 'utf8');
    writeFiles(folder, [['new.py', VERIFY]]);
    const again = fakeContext({ cwd: folder, home: context.home });
    expect(await runCli(again, ['review'])).toBe(1);
    expect(again.out.text()).toMatch(/^new\.py:2:1 .*\n[\s\S]*1 in the baseline\n$/);
    expect(await runCli(again, ['review', '--write-baseline'])).toBe(0);
    const after = readFileSync(join(folder, '.devmesh/baseline.json'), 'utf8');
    expect(after).toContain(before.split('\n')[1]);
    expect(await runCli(again, ['review'])).toBe(0);
    expect(await runCli(again, ['review', '--write-baseline', '--base', 'HEAD'])).not.toBe(0);
  });

  it('writes no baseline under a broken policy', async () => {
    writeFiles(folder, [['.devmesh/review.yaml', 'version: 1\nignor: [a]\n']]);
    expect(await runCli(context, ['review', '--write-baseline'])).not.toBe(0);
    expect(context.err.text()).toMatch(/mend this first: \.devmesh\/review\.yaml:2:1: `ignor`/);
  });

  it('says what is wrong with folder and base', async () => {
    expect(await runCli(context, ['review', 'nowhere'])).not.toBe(0);
    expect(await runCli(context, ['review', '--base', 'nowhere'])).not.toBe(0);
    expect(context.err.text()).toMatch(/nowhere is not a folder[\s\S]*no branch, tag or commit "nowhere"/);
  });
});
