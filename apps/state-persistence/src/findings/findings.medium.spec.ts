import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { SeenFinding, SeenFindings } from '@devmesh/contracts/finding-fate';
import { createOp, createStateFixture, newRunId, T0, type StateFixture } from '../testing/state.fixture.js';

let fixture: StateFixture;
beforeAll(async () => {
  fixture = await createStateFixture(inject('postgresUrl'));
});
afterAll(() => fixture.close());
beforeEach(async () => {
  fixture.clock.now = T0;
  await fixture.db.write({ name: 'test-empty', text: 'truncate findings', values: [] });
});

const print = (name: string): string => Buffer.from(name).toString('hex').padEnd(64, '0');

async function run(commit: string, origin = '/shop'): Promise<string> {
  const runId = newRunId();
  const ref = { bundles: ['a'.repeat(64)], commit: commit.repeat(40), base: commit.repeat(40), shallow: [] };
  const [created] = await fixture.state.batch.run([createOp({ runId, repository: { ref, origin, notices: [] } })]);
  expect(created).toMatchObject({ result: 'created' });
  fixture.clock.now += 1000;
  return runId;
}

const seen = (name: string, state: SeenFinding['state'] = 'told', rule = 'some-rule'): SeenFinding => ({
  fingerprint: print(name),
  rule,
  class: 'xss',
  severity: 'high',
  path: `src/${name}.ts`,
  state,
});

async function review(runId: string, findings: readonly SeenFinding[], unsure: string[] = []): Promise<void> {
  await fixture.state.findings.record(runId, { findings: [...findings], unsure } satisfies SeenFindings);
}

async function fates(runId: string): Promise<Record<string, string>> {
  const { items } = await fixture.state.findings.ofRun(runId);
  return Object.fromEntries(items.map(({ path, fate }) => [path.slice(4, -3), fate]));
}

describe('what becomes of a finding', () => {
  test('open, accepted on another commit, fixed when it is gone, open when it comes back', async () => {
    const first = await run('1');
    await review(first, [seen('a'), seen('b'), seen('c', 'suppressed')]);
    expect(await fates(first)).toEqual({ a: 'open', b: 'open', c: 'suppressed' });
    const same = await run('1');
    await review(same, [seen('a'), seen('b'), seen('c', 'suppressed')]);
    expect(await fates(same)).toEqual({ a: 'open', b: 'open', c: 'suppressed' });
    const next = await run('2');
    await review(next, [seen('a')]);
    await review(next, [seen('a')]);
    expect(await fates(next)).toEqual({ a: 'accepted' });
    expect(await fates(same)).toEqual({ a: 'accepted', b: 'fixed', c: 'suppressed' });
    const back = await run('3');
    await review(back, [seen('a'), seen('b')]);
    await review(back, [seen('a'), seen('b')]);
    expect(await fates(back)).toEqual({ a: 'accepted', b: 'open' });
  });

  test('nothing is fixed in a file that was not reviewed to its end', async () => {
    await review(await run('1'), [seen('a'), seen('b')]);
    const next = await run('2');
    await review(next, [], ['src/a.ts']);
    expect((await fixture.state.findings.precision('default')).items).toMatchObject([{ open: 1, fixed: 1 }]);
  });

  test('a run that is late changes nothing', async () => {
    const [early, late] = [await run('1'), await run('2')];
    await review(late, [seen('a')]);
    await review(early, [seen('a'), seen('b')]);
    expect(await fates(late)).toEqual({ a: 'open' });
  });

  test('repositories and projects are kept apart', async () => {
    await review(await run('1'), [seen('a')]);
    const other = await run('1', '/other');
    await review(other, []);
    expect((await fixture.state.findings.precision('default')).items).toMatchObject([{ open: 1, fixed: 0 }]);
    expect(await fates(other)).toEqual({});
    expect((await fixture.state.findings.precision('elsewhere')).items).toEqual([]);
  });
});

describe('what a person says', () => {
  test('stands, whatever is seen after, and the last word counts', async () => {
    const first = await run('1');
    await review(first, [seen('a'), seen('b')]);
    const { findings } = fixture.state;
    const rejected = await findings.judge(first, print('a'), { verdict: 'rejected', reason: 'no', by: 'ann' });
    expect(rejected).toMatchObject({ fate: 'rejected', judgedBy: 'ann', reason: 'no' });
    await findings.judge(first, print('b'), { verdict: 'rejected', reason: 'no', by: 'ann' });
    await findings.judge(first, print('b'), { verdict: 'confirmed', reason: 'yes', by: 'bob' });
    expect(await findings.history(first)).toMatchObject({ rejected: [{ fingerprint: print('a'), reason: 'no' }] });
    const next = await run('2');
    await review(next, [seen('a', 'untold')]);
    expect(await fates(next)).toEqual({ a: 'rejected' });
    expect(await fates(first)).toEqual({ a: 'rejected', b: 'confirmed' });
  });

  test('is refused for a finding or a run that is not there', async () => {
    const first = await run('1');
    const verdict = { verdict: 'rejected', reason: 'no', by: 'ann' } as const;
    await expect(fixture.state.findings.judge(first, print('x'), verdict)).rejects.toMatchObject({ code: 'not_found' });
    await expect(fixture.state.findings.history(newRunId())).rejects.toMatchObject({ code: 'not_found' });
  });

  test('gives the precision of a rule', async () => {
    const first = await run('1');
    await review(first, ['a', 'b', 'c', 'd'].map((name) => seen(name)).concat(seen('e', 'told', 'other-rule')));
    await fixture.state.findings.judge(first, print('a'), { verdict: 'rejected', reason: 'no', by: 'ann' });
    const next = await run('2');
    await review(next, [seen('a', 'untold'), seen('d'), seen('e', 'told', 'other-rule')]);
    expect((await fixture.state.findings.precision('default')).items).toEqual([
      {
        rule: 'other-rule',
        open: 0,
        accepted: 1,
        fixed: 0,
        suppressed: 0,
        confirmed: 0,
        rejected: 0,
        judged: 0,
        precision: null,
      },
      {
        rule: 'some-rule',
        open: 0,
        accepted: 1,
        fixed: 2,
        suppressed: 0,
        confirmed: 0,
        rejected: 1,
        judged: 3,
        precision: 2 / 3,
      },
    ]);
  });
});
