import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApprovalRecord } from '@devmesh/contracts/approval';
import type { RunView } from '@devmesh/contracts/gateway-api';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Devmesh } from './support/devmesh.js';
import { processesOf } from './support/leftovers.js';

let devmesh: Devmesh;
let repository: string;

beforeAll(async () => {
  devmesh = await Devmesh.make(inject('clone'));
  repository = makeRepository([['README.md', 'hello\n']]);
  await devmesh.run(['up', '--quiet']);
});

afterAll(async () => {
  await devmesh.down();
  const left = processesOf(devmesh.folder);
  await devmesh.remove();
  removeAll(repository);
  expect(left).toEqual([]);
});

/** Submits a workflow and leaves it. */
async function submitted(source: string): Promise<string> {
  const file = join(devmesh.folder, 'workflow.yaml');
  writeFileSync(file, source);
  const { data } = await devmesh.json<{ run: RunView }>(['run', '--repo', repository, '--workflow', file, '--detach']);
  return data.run.id;
}

/** The open approvals of a run, once there are so many. */
async function asked(run: string, count: number): Promise<Map<string, ApprovalRecord>> {
  return new Map((await devmesh.asked(run, count)).map((one) => [one.step, one]));
}

async function ended(run: string): Promise<RunView> {
  return (await devmesh.json<{ run: RunView }>(['show', run, '--follow'])).data.run;
}

const post = (id: string, body: object) =>
  devmesh.request(`/v1/approvals/${id}/verdict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

const TWO = `
name: two
finish: false
steps:
  - { id: look, action: rag-context/index }
  - { id: first, needs: look, approval: { title: "Is the first fine?" } }
  - { id: second, needs: look, approval: { title: "Is the second fine?", deadline: 1h } }
  - { id: report, action: rag-context/index, needs: [first, second] }
`;

describe('approvals', () => {
  it('wait at once, through a restart of the mesh, and are decided in any order by what was shown', async () => {
    const run = await submitted(TWO);
    const before = await asked(run, 2);
    await devmesh.down();
    await devmesh.run(['up', '--quiet']);
    expect(await asked(run, 2)).toEqual(before);
    const second = before.get('second')?.id ?? '';
    const refused = await devmesh.run(['approve', second]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--yes') as string]);
    const shown = await devmesh.run(['approve', second.slice(-8), '--yes', '-m', 'looks right']);
    expect(shown.stdout).toContain('Is the second fine?');
    expect(shown.stdout).toContain(before.get('second')?.hash ?? 'no hash');
    await devmesh.run(['approve', before.get('first')?.id ?? '', '--yes']);
    const over = await ended(run);
    expect(over.verdict).toBe('passed');
    expect(over.steps.find(({ id }) => id === 'second')).toMatchObject({ status: 'succeeded', verdict: 'approved' });
    const all = await devmesh.run(['approvals', '--run', run, '--all']);
    expect(all.stdout).toMatch(/approved by/);
  });

  it('are decided once: the second one is told, the same one again is answered', async () => {
    const run = await submitted(TWO);
    const open = await asked(run, 2);
    const { id = '', hash = '' } = open.get('first') ?? {};
    expect((await post(id, { verdict: 'approved', hash: 'e'.repeat(64) })).status).toBe(409);
    const [yes, no] = await Promise.all([
      post(id, { verdict: 'approved', hash }),
      post(id, { verdict: 'rejected', hash }),
    ]);
    expect(new Set([yes.status, no.status])).toEqual(new Set([200, 409]));
    const again = await post(id, { verdict: yes.status === 200 ? 'approved' : 'rejected', hash });
    expect(again.status).toBe(200);
    const late = await devmesh.run(['reject', id, '--yes']);
    if (yes.status === 200) expect(late.stderr).toContain('is not open any more');
    const rest = open.get('second')?.id ?? '';
    await devmesh.run(['cancel', run]);
    expect((await ended(run)).verdict).toBe('cancelled');
    const closed = await devmesh.run(['approve', rest, '--yes']);
    expect([closed.code, closed.stderr]).toEqual([1, expect.stringContaining('without it') as string]);
  });

  it('that are rejected send the work back, and are asked about anew; out of time they reject', async () => {
    const run = await submitted(`
name: again
finish: false
steps:
  - { id: look, action: rag-context/index }
  - { id: ok, needs: look, approval: { deadline: 1h }, on_rejection: { action: retry, target: look, max_attempts: 1 } }
  - { id: soon, needs: ok, approval: { deadline: 1s } }
`);
    const first = (await asked(run, 1)).get('ok');
    await devmesh.run(['reject', first?.id ?? '', '--yes', '-m', 'once more']);
    let next = first;
    while (next?.id === first?.id) next = (await asked(run, 1)).get('ok');
    expect(next).toMatchObject({ iteration: 2 });
    await devmesh.run(['approve', next?.id ?? '', '--yes']);
    const over = await ended(run);
    expect(over).toMatchObject({ verdict: 'rejected', reason: 'step soon rejected the result' });
    expect(over.steps.find(({ id }) => id === 'soon')?.summary).toBe('nobody decided in time');
  });
});

describe('a pause', () => {
  it('starts nothing new, is shown, and ends with a resume', async () => {
    const run = await submitted(TWO);
    await asked(run, 2);
    await devmesh.run(['pause', run, '--reason', 'lunch']);
    const state = (wanted: (now: RunView) => boolean) => devmesh.until<RunView>(`/v1/runs/${run}`, wanted);
    await state(({ status }) => status === 'paused');
    for (const { id } of (await asked(run, 2)).values()) await devmesh.run(['approve', id, '--yes']);
    const two = await state(({ steps }) => steps.filter(({ status }) => status === 'succeeded').length === 3);
    expect(two.steps.find(({ id }) => id === 'report')?.status).toBe('pending');
    expect((await devmesh.run(['runs'])).stdout).toContain('‖ paused');
    await devmesh.run(['resume', run]);
    expect((await ended(run)).verdict).toBe('passed');
  });
});

describe('workflows with all that the engine has', () => {
  it('run on real services: fan-out, condition, join, sub-workflow', async () => {
    const run = await submitted(`
name: whole
steps:
  - { id: look, action: rag-context/index }
  - { id: many, needs: look, action: rag-context/index, for_each: "\${{ steps.look.output.nothing }}" }
  - { id: never, needs: look, action: rag-context/index, when: steps.look.status != "succeeded" }
  - { id: any, needs: [look, never], join: any, action: rag-context/index }
  - { id: inner, needs: any, workflow: review }
  - { id: last, needs: inner, action: rag-context/index, when: "has(steps.inner.output.review)" }
`);
    const over = await ended(run);
    const status = Object.fromEntries(over.steps.map((step) => [step.id, step.status]));
    expect(status).toMatchObject({
      look: 'succeeded',
      many: 'failed',
      never: 'skipped',
      any: 'succeeded',
      'inner.end': 'succeeded',
      last: 'succeeded',
    });
    expect(over.steps.find(({ id }) => id === 'many')?.summary).toContain('bad_fan_out');
    expect(over.verdict).toBe('failed');
  });

  it('of which so many may run at once wait for their place, by priority', async () => {
    const source = `
name: narrow
finish: false
max_concurrent_workflows: 1
steps:
  - { id: ok, approval: true }
`;
    const file = join(devmesh.folder, 'narrow.yaml');
    writeFileSync(file, source);
    const submit = async (...args: string[]) =>
      (await devmesh.json<{ run: RunView }>(['run', '--repo', repository, '--workflow', file, '--detach', ...args]))
        .data.run.id;
    const first = await submit();
    const open = await asked(first, 1);
    const [low, high] = [await submit(), await submit('--priority', '5')];
    const status = async (run: string) => (await devmesh.json<{ run: RunView }>(['show', run])).data.run.status;
    expect([await status(low), await status(high)]).toEqual(['queued', 'queued']);
    await devmesh.run(['approve', open.get('ok')?.id ?? '', '--yes']);
    const next = await asked(high, 1);
    expect(await status(low)).toBe('queued');
    await devmesh.run(['cancel', low]);
    expect((await ended(low)).verdict).toBe('cancelled');
    await devmesh.run(['approve', next.get('ok')?.id ?? '', '--yes']);
    expect((await ended(high)).verdict).toBe('passed');
  });
});
