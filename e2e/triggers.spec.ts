import { createHmac } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import type { RunView } from '@devmesh/contracts/gateway-api';
import type { TriggerCreated, TriggerView } from '@devmesh/contracts/trigger';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Devmesh } from './support/devmesh.js';
import { processesOf } from './support/leftovers.js';

let devmesh: Devmesh;
let repository: string;
let url: string;

beforeAll(async () => {
  devmesh = await Devmesh.make(inject('clone'), { DEVMESH_CLONE_PROTOCOLS: '["file"]' });
  repository = makeRepository([['README.md', 'hello\n']]);
  url = pathToFileURL(repository).href;
  await devmesh.run(['up', '--quiet']);
});

afterAll(async () => {
  await devmesh.down();
  const left = processesOf(devmesh.folder);
  await devmesh.remove();
  removeAll(repository);
  expect(left).toEqual([]);
});

async function added(...args: string[]): Promise<TriggerCreated> {
  const { data } = await devmesh.json<{ trigger: TriggerCreated }>(['triggers', 'add', ...args]);
  return data.trigger;
}

/** The trigger of that name, once it is as wanted. */
async function named(name: string, wanted: (trigger: TriggerView) => boolean): Promise<TriggerView | undefined> {
  const find = (list: { items: TriggerView[] }) => list.items.find((trigger) => trigger.name === name);
  return find(
    await devmesh.until<{ items: TriggerView[] }>('/v1/triggers', (list) => {
      const trigger = find(list);
      return trigger !== undefined && wanted(trigger);
    }),
  );
}

/** The run that the trigger has started. */
const fired = async (name: string): Promise<string> =>
  (await named(name, ({ lastRunId }) => lastRunId !== null))?.lastRunId ?? '';

it('a schedule starts a run on a fresh clone at its time, and moves on', async () => {
  const { nextAt } = await added(
    'every-second',
    'look',
    '--cron',
    '* * * * * *',
    '--repo',
    url,
    '--workflow',
    'review',
  );
  expect(nextAt).not.toBeNull();
  const id = await fired('every-second');
  await devmesh.run(['triggers', 'remove', 'every-second']);
  const followed = await devmesh.json<{ run: RunView }>(['show', id, '--follow']);
  expect(followed.data.run).toMatchObject({ workflow: 'review', task: 'look', status: 'ended', verdict: 'passed' });
  expect((await devmesh.json<{ triggers: TriggerView[] }>(['triggers'])).data.triggers).toEqual([]);
});

it('a signed delivery starts one run, however often it comes; the mesh may go down before it has', async () => {
  const trigger = await added(
    'on-push',
    'review ${{ branch }}',
    '--webhook',
    '--branch',
    'main',
    '--repo',
    url,
    '--ref',
    '${{ branch }}',
    '--workflow',
    'review',
  );
  const body = JSON.stringify({ ref: 'refs/heads/main' });
  const signature = `sha256=${createHmac('sha256', trigger.secret ?? '')
    .update(body)
    .digest('hex')}`;
  const deliver = () =>
    devmesh.request(trigger.path ?? '', {
      method: 'POST',
      body,
      headers: {
        authorization: '',
        'x-hub-signature-256': signature,
        'x-github-event': 'push',
        'x-github-delivery': 'd-1',
      },
    });
  expect(await (await deliver()).json()).toEqual({ accepted: true, reason: null });
  await devmesh.down();
  await devmesh.run(['up', '--quiet']);
  expect(await (await deliver()).json()).toMatchObject({
    accepted: true,
    reason: expect.stringContaining('before') as string,
  });
  const id = await fired('on-push');
  const { data } = await devmesh.json<{ run: RunView }>(['show', id, '--follow']);
  expect(data.run).toMatchObject({ task: 'review main', verdict: 'passed' });
  const { data: all } = await devmesh.json<{ runs: RunView[] }>(['runs', '-n', '100']);
  expect(all.runs.filter(({ task }) => task === 'review main')).toHaveLength(1);
  expect(devmesh.heard.filter((text) => text.includes(trigger.secret ?? 'none'))).toHaveLength(1);
});

it('says what is wrong with a trigger, and with a firing', async () => {
  const two = await devmesh.run(['triggers', 'add', 'x', '--cron', '* * * * *', '--webhook']);
  expect([two.code, two.stderr]).toEqual([2, expect.stringContaining('--cron') as string]);
  const never = await devmesh.run(['triggers', 'add', 'x', '--cron', 'now and then']);
  expect(never.stderr).toContain('five fields');
  await added('broken', '--cron', '* * * * * *', '--repo', `${url}-gone`, '--workflow', 'review');
  const failed = await named('broken', ({ lastError }) => lastError !== null);
  expect(failed?.lastError).toContain('clone_failed');
  expect((await devmesh.run(['triggers', 'remove', 'nobody'])).stderr).toContain(
    'there is no trigger nobody; there is broken',
  );
});
