import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ActionBench } from '@devmesh/agent-kit/testing/test-context';
import { reviewTree } from '@devmesh/analysis/findings/review-tree';
import { readExpectation, SAMPLE_ROOT } from '@devmesh/analysis/testing/sample';
import type { ArtifactRef } from '@devmesh/contracts/artifact';
import { FixHistory } from '@devmesh/contracts/fix-history';
import type { Finding } from '@devmesh/contracts/finding';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import { makeRepository, removeAll, userGit } from '@devmesh/repository/testing/sample-git';
import { programPath } from '@devmesh/testing/peers';
import { createActions } from './actions.js';
import { applyFixesAction } from './apply-fixes/apply-fixes.action.js';
import { implementAction } from './implement/implement.action.js';
import { integrateAction } from './integrate/integrate.action.js';

let bench: ActionBench;
const folders: string[] = [];
beforeEach(() => {
  bench = new ActionBench();
});
afterEach(async () => {
  await bench.dispose();
  removeAll(...folders.splice(0));
});

function repositoryOf(files: readonly (readonly [string, string])[]): string {
  const folder = makeRepository(files);
  folders.push(folder);
  return folder;
}

function sampleRepository(): string {
  const folder = repositoryOf([['x', 'x']]);
  cpSync(SAMPLE_ROOT, folder, { recursive: true });
  rmSync(join(folder, 'x'));
  userGit(folder, ['add', '--all']);
  userGit(folder, ['commit', '--quiet', '-m', 'Sample']);
  return folder;
}

async function review(repository: RepositoryRef): Promise<{ findings: readonly Finding[]; artifact: ArtifactRef }> {
  const { findings } = await reviewTree((await bench.checkOut(repository)).path);
  const artifact = bench.put(Buffer.from(JSON.stringify({ version: 1, findings })), {
    name: 'findings.json',
    mediaType: 'application/json',
  });
  return { findings, artifact };
}

const BAD = 'import requests\r\n\r\ndef f(u):\r\n    return requests.get(u, verify=False, timeout=9)  # übel\r\n';

describe('apply-fixes', () => {
  it('gives one patch that changes only the bytes of the fix, line ends and all', async () => {
    const repository = await bench.submit(
      repositoryOf([
        ['a.py', BAD],
        ['b.py', 'print(1)\n'],
      ]),
    );
    const { artifact } = await review(repository);
    const output = await applyFixesAction.run(bench.context({ repository, findings: artifact }));
    expect(output).toMatchObject({
      fixed: 1,
      deferred: 0,
      dropped: 0,
      patch: { files: ['a.py'], base: repository.commit },
    });
    const done = await integrateAction.run(
      bench.context({
        repository,
        patches: [{ step: 'fix', agent: 'feature-dev', patch: { ...output.patch!, body: '' } }],
      }),
    );
    const after = await bench.checkOut(done.repository as RepositoryRef);
    expect(readFileSync(join(after.path, 'a.py'), 'utf8')).toBe(BAD.replace('verify=False', 'verify=True'));
  });

  it('gives no patch where nothing has a safe fix', async () => {
    const repository = await bench.submit(repositoryOf([['a.py', 'eval(input())\n']]));
    const { artifact } = await review(repository);
    const output = await applyFixesAction.run(bench.context({ repository, findings: artifact }));
    expect(output).toMatchObject({ patch: null, fixed: 0, summary: 'nothing to fix' });
  });

  it('drops fixes of findings that were made for another tree, or that leave it', async () => {
    const old = await bench.submit(repositoryOf([['a.py', BAD]]));
    const { findings } = await review(old);
    const [finding] = findings;
    const elsewhere = { ...finding!, location: { ...finding!.location, path: '../../outside.py' } };
    const artifact = bench.put(Buffer.from(JSON.stringify({ version: 1, findings: [finding, elsewhere] })), {
      name: 'findings.json',
      mediaType: 'application/json',
    });
    const repository = await bench.submit(repositoryOf([['a.py', 'def other():\n    pass\n\n\nx = 1\n']]));
    const output = await applyFixesAction.run(bench.context({ repository, findings: artifact }));
    expect(output).toMatchObject({ patch: null, fixed: 0, dropped: 2 });
  });

  it('says what is wrong with findings that are none', async () => {
    const repository = await bench.submit(repositoryOf([['a.py', BAD]]));
    const findings = bench.put(Buffer.from('{'), { name: 'findings.json', mediaType: 'application/json' });
    const failure = applyFixesAction.run(bench.context({ repository, findings }));
    await expect(failure).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(failure).rejects.toThrow('is not JSON');
  });
});

describe('a review of its own', () => {
  it('leaves alone what the project has silenced', async () => {
    const silenced = BAD.replace('# übel', '# devmesh-ignore tls-verify-off: a test host');
    const repository = await bench.submit(repositoryOf([['a.py', silenced]]));
    const output = await implementAction.run(bench.context({ repository, task: '', patches: [] }));
    expect(output).toMatchObject({ fixed: 0, commits: [] });
    const plain = await bench.submit(repositoryOf([['a.py', BAD]]));
    expect(await implementAction.run(bench.context({ repository: plain, task: '', patches: [] }))).toMatchObject({
      fixed: 1,
    });
  });
});

describe('integrate', () => {
  it('commits nothing for nothing, and says so', async () => {
    const repository = await bench.submit(repositoryOf([['a.py', BAD]]));
    const output = await integrateAction.run(bench.context({ repository, patches: [null] }));
    expect(output).toEqual({ repository, bundle: null, commits: [], leftOut: [], summary: 'no commits' });
  });

  it('leaves a patch out that conflicts, names it, and keeps the others', async () => {
    const repository = await bench.submit(
      repositoryOf([
        ['a.txt', 'one\n'],
        ['b.txt', 'one\n'],
      ]),
    );
    const propose = async (path: string, text: string, title: string) => {
      const context = bench.context({});
      const checkout = await context.checkout(repository);
      writeFileSync(join(checkout.path, path), text);
      return { step: 'x', agent: 'cicd', patch: { ...(await context.patch(checkout, { title }))!, body: 'Because.' } };
    };
    const patches = [
      await propose('a.txt', 'two\n', 'Two'),
      await propose('a.txt', 'three\n', 'Three'),
      await propose('b.txt', 'four\n', 'Four'),
    ];
    const output = await integrateAction.run(bench.context({ repository, patches }));
    expect(output.commits.map(({ title, agent }) => [title, agent])).toEqual([
      ['Two', 'cicd'],
      ['Four', 'cicd'],
    ]);
    expect(output.leftOut.map(({ title }) => title)).toEqual(['Three']);
    expect(output.leftOut[0]?.reason).toContain('a.txt');
    expect(output.summary).toBe('2 commits, 1 left out');
  });
});

describe('implement on the sample repository', { timeout: 60_000 }, () => {
  it('fixes in two rounds what has a safe fix, on top of the rejected tree, and then has nothing to do', async () => {
    const expectation = readExpectation();
    const rounds = (round: number) => expectation.defects.filter((defect) => defect.round === round).length;
    const folder = sampleRepository();
    const repository = await bench.submit(folder);
    const input = { repository, task: '', patches: [] };

    const first = await implementAction.run(bench.context(input, { step: 'implement' }));
    expect(first).toMatchObject({ fixed: rounds(1), deferred: rounds(2), dropped: 0, leftOut: [] });
    const one = await review(first.repository as RepositoryRef);
    expect(one.findings.filter(({ fix }) => fix)).toHaveLength(rounds(2));

    const rework = {
      from: 'check',
      output: { verdict: 'rejected', repository: first.repository, findings: one.artifact },
    };
    const second = await implementAction.run(bench.context(input, { step: 'implement', rework: rework as never }));
    expect(second).toMatchObject({ fixed: rounds(2), deferred: 0, dropped: 0 });
    expect(second.repository.bundles).toHaveLength(2);
    const two = await review(second.repository as RepositoryRef);
    expect(two.findings.filter(({ fix }) => fix)).toEqual([]);

    const third = await implementAction.run(
      bench.context({ ...input, repository: second.repository as RepositoryRef }),
    );
    expect(third).toMatchObject({ fixed: 0, summary: 'no commits, 2 on the branch; nothing to fix' });
    expect(third.commits).toHaveLength(2);

    // The user fetches the last bundle: one branch, a commit a round, with trailers and the time that was injected.
    const bundle = bench.file(second.bundle!);
    execFileSync('git', ['-C', folder, 'fetch', '--quiet', bundle, `refs/heads/devmesh/*:refs/heads/devmesh/*`]);
    const log = userGit(folder, [
      'log',
      '--format=%s|%ct|%(trailers:key=Devmesh-Step,valueonly,separator=)',
      `${repository.base}..${second.repository.commit}`,
    ]);
    expect(log.trim().split('\n')).toEqual([
      'Fix tls-verify-off in worker/shop_worker/suppliers.py|1700000000|implement',
      'Fix 5 findings in 5 files|1700000000|implement',
    ]);
  });

  it('keeps what became of the fixes of all rounds, and tries none again that was dropped', async () => {
    const repository = await bench.submit(
      repositoryOf([
        ['a.py', BAD],
        ['b.py', BAD.replace('verify=False', 'verify=False, allow_redirects=True')],
      ]),
    );
    const { findings } = await review(repository);
    // The fix of one of them breaks its file, and is dropped.
    const broken = findings.map((finding) =>
      finding.location.path === 'b.py' && finding.fix
        ? { ...finding, fix: { ...finding.fix, edits: finding.fix.edits.map((edit) => ({ ...edit, text: '((' })) } }
        : finding,
    );
    const artifact = bench.put(Buffer.from(JSON.stringify({ version: 1, findings: broken })), {
      name: 'findings.json',
      mediaType: 'application/json',
    });
    const input = { repository, findings: artifact, task: '', patches: [] };
    const first = await implementAction.run(bench.context(input, { step: 'implement' }));
    expect(first).toMatchObject({ fixed: 1, dropped: 1 });
    const rework = { from: 'verify', output: { ...first, findings: artifact } };
    const second = await implementAction.run(bench.context(input, { step: 'implement', rework: rework as never }));
    expect(second).toMatchObject({ fixed: 0, dropped: 1, droppedFixes: [{ path: 'a.py' }] });
    const history = FixHistory.parse(JSON.parse(bench.read(second.fixHistory!).toString()));
    expect(history.fixed.map(({ path, round }) => [path, round])).toEqual([['a.py', 1]]);
    expect(history.dropped.map(({ path, round }) => [path, round])).toEqual([
      ['b.py', 1],
      ['a.py', 2],
    ]);
  });

  it('takes the patches of other agents along, once', async () => {
    const folder = sampleRepository();
    const repository = await bench.submit(folder);
    const context = bench.context({});
    const checkout = await context.checkout(repository);
    writeFileSync(join(checkout.path, 'compose.yaml'), 'services: {}\n');
    const patch = { ...(await context.patch(checkout, { title: 'Add a compose file' }))!, body: '' };
    const input = { repository, task: '', patches: [{ step: 'infra', agent: 'infrastructure', patch }, null] };
    const first = await implementAction.run(bench.context(input, { step: 'implement' }));
    expect(first.commits.map(({ agent }) => agent)).toEqual(['infrastructure', 'feature-dev']);
    const { artifact } = await review(first.repository as RepositoryRef);
    const rework = { from: 'check', output: { repository: first.repository, findings: artifact } };
    const second = await implementAction.run(bench.context(input, { step: 'implement', rework: rework as never }));
    expect(second.commits.map(({ agent }) => agent)).toEqual(['infrastructure', 'feature-dev', 'feature-dev']);
  });

  it('says that a text was not implemented, because nothing here writes code from words', async () => {
    const repository = await bench.submit(sampleRepository());
    const output = await implementAction.run(bench.context({ repository, task: 'add  a\ncart', patches: [] }));
    expect(output.leftOut).toEqual([{ title: 'add a cart', reason: expect.stringContaining('none is configured') }]);
    expect(output.summary).toContain('no model');
  });

  it('makes the same commits for the same input', async () => {
    const repository = await bench.submit(sampleRepository());
    const input = { repository, task: '', patches: [] };
    const [a, b] = [await implementAction.run(bench.context(input)), await implementAction.run(bench.context(input))];
    expect(a.commits).toEqual(b.commits);
    expect(a.commits).not.toEqual([]);
  });

  it('runs no test where there is no sandbox, and says that nothing was judged', async () => {
    // A machine with git and nothing else.
    const only = mkdtempSync(join(tmpdir(), 'only-git-'));
    folders.push(only);
    symlinkSync(programPath('git')!, join(only, 'git'));
    const proof = join(only, 'ran');
    const test = `require('node:test'); require('node:fs').writeFileSync(${JSON.stringify(proof)}, '')\n`;
    const repository = await bench.submit(
      repositoryOf([
        ['a.py', BAD],
        ['a.test.js', test],
      ]),
    );
    vi.stubEnv('PATH', only);
    const output = await implementAction.run(bench.context({ repository, task: '', patches: [], runTests: true }));
    vi.unstubAllEnvs();
    expect(output).toMatchObject({
      fixed: 1,
      tests: { verdict: 'not_judged', suites: [{ command: 'node --test', before: 'unrunnable', after: null }] },
    });
    expect(output.tests?.summary).toContain('there is no sandbox here: there is no bubblewrap');
    expect(existsSync(proof)).toBe(false);
  });

  it('stops when it is cancelled', async () => {
    const repository = await bench.submit(sampleRepository());
    const signal = AbortSignal.abort(new Error('cancelled'));
    await expect(implementAction.run(bench.context({ repository, task: '', patches: [] }, { signal }))).rejects.toThrow(
      'cancelled',
    );
  });
});

it('offers every action of its contract', () => {
  expect(createActions({ forges: {}, pushProtocols: ['https'] }).map(({ contract }) => contract.id)).toEqual([
    'feature-dev/apply-fixes',
    'feature-dev/integrate',
    'feature-dev/implement',
    'feature-dev/push',
    'feature-dev/pull-request',
  ]);
});

it('leaves no folder behind', async () => {
  const left = () =>
    execFileSync('ls', [tmpdir()])
      .toString()
      .split('\n')
      .filter((name) => name.startsWith('devmesh-integrate-'));
  const before = left();
  const folder = mkdtempSync(join(tmpdir(), 'x-'));
  folders.push(folder);
  const repository = await bench.submit(repositoryOf([['a.py', BAD]]));
  await implementAction.run(bench.context({ repository, task: '', patches: [] }));
  expect(left()).toEqual(before);
});
