import type { ApprovalRecord } from '@devmesh/contracts/approval';
import type { StoredEvent } from '@devmesh/contracts/event';
import type { EffectRecord } from '@devmesh/contracts/effect';
import type { RunView } from '@devmesh/contracts/gateway-api';
import { removeAll } from '@devmesh/repository/testing/sample-git';
import { Random } from '@devmesh/engine/simulator/random';
import { ScriptedForge } from '@devmesh/testing/scripted-forge';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Devmesh } from './support/devmesh.js';
import { forgeSettings, serveSmallRepository } from './support/forge.js';
import { processesOf } from './support/leftovers.js';

/*
 * The mesh as shipped, with runs that push and open pull requests, and kill -9 at random times of whatever is up: gateway, orchestrator,
 * every agent, state-persistence, PostgreSQL. EFFECT_KILLS=200 EFFECT_SEED=7 for more, or other, kills.
 */

const KILLS = Number(process.env['EFFECT_KILLS'] ?? 6);
const SEED = Number(process.env['EFFECT_SEED'] ?? 1);
const AT_ONCE = 3;
/** A run goes on at most so long after all that it needs is back, ms. */
const GOES_ON_MS = 5_000;

interface Part {
  readonly name: string;
  readonly pid: number | null;
  readonly state: string;
}

let devmesh: Devmesh;
let repository: string;
const forge = new ScriptedForge();

beforeAll(async () => {
  repository = await serveSmallRepository(forge);
  devmesh = await Devmesh.make(inject('clone'), forgeSettings(forge));
  await devmesh.run(['up', '--quiet']);
});

afterAll(async () => {
  await devmesh.down();
  const left = processesOf(devmesh.folder);
  await devmesh.remove();
  await forge.stop();
  removeAll(repository);
  expect(left).toEqual([]);
});

/** Asks until the gateway is up to it; a POST with the same key is the same one. */
async function insist<T>(path: string, init: RequestInit = {}): Promise<T> {
  for (;;) {
    const response = await devmesh.request(path, init).catch(() => null);
    if (response?.ok === true) return (await response.json()) as T;
    // A verdict that was taken, though its answer was lost.
    if (response?.status === 409) return null as T;
    await delay(50);
  }
}

const post = (path: string, body: object, key: string): Promise<{ id: string }> =>
  insist(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  });

async function parts(): Promise<Part[]> {
  const { data } = await devmesh.json<{ services: Part[]; mesh: { database: Part } }>(['status']);
  return [...data.services, { ...data.mesh.database, name: 'postgres' }];
}

/** Submits a run, consents to its push, and gives it when it has ended. */
async function whole(number: number): Promise<RunView> {
  const url = forge.readable;
  const body = { task: `Harden ${number}`, workflow: { name: 'deliver-pr' }, repository: { url } };
  const { id } = await post('/v1/runs', body, `killed-${number}`);
  for (;;) {
    const run = await insist<RunView>(`/v1/runs/${id}`);
    if (run.status === 'ended') return run;
    const open = await insist<{ items: ApprovalRecord[] }>(`/v1/approvals?runId=${id}&status=open`);
    for (const { id: approval, hash } of open.items)
      await post(`/v1/approvals/${approval}/verdict`, { verdict: 'approved', hash }, `verdict-${approval}`);
    await delay(100);
  }
}

it('effects are done once and every run ends, whatever is killed meanwhile', async () => {
  const random = new Random(SEED);
  const runs: RunView[] = [];
  let submitted = 0;
  let over = false;
  const worker = async () => {
    while (!over) runs.push(await whole(submitted++));
  };
  const workers = Array.from({ length: AT_ONCE }, worker);
  const killed: string[] = [];
  const goneOn: number[] = [];
  while (killed.length < KILLS) {
    await delay(random.below(700));
    const up = (await parts()).filter(({ state, pid }) => state === 'ready' && pid !== null);
    const victim = random.pick(up);
    if (!victim?.pid) continue;
    process.kill(victim.pid, 'SIGKILL');
    killed.push(victim.name);
  }
  over = true;
  const back = Date.now();
  while ((await parts()).some(({ state }) => state !== 'ready')) await delay(50);
  const ready = Date.now();
  await Promise.all(workers);

  console.log(
    `seed ${SEED}: ${killed.join(', ')}; all back after ${ready - back} ms, ended after ${Date.now() - ready} ms more`,
  );
  for (const run of runs) {
    expect(run).toMatchObject({ verdict: 'passed' });
    const { events: items } = await insist<{ events: StoredEvent[] }>(`/v1/runs/${run.id}/events?limit=1000`, {
      headers: { accept: 'application/json' },
    });
    const done = items.flatMap(({ event }) =>
      event.type === 'StepCompleted' && event.outcome.kind === 'succeeded'
        ? [event.key.split('/').slice(1, 3).join('/')]
        : [],
    );
    expect(done).toEqual([...new Set(done)]);
    const next = items.find(({ event }) => 'at' in event && event.at > ready)?.event;
    if (next && 'at' in next && items.some(({ event }) => 'at' in event && event.at < ready))
      goneOn.push(next.at - ready);
    const branch = `devmesh/${run.id}`;
    expect(forge.branch(branch)).toBe(run.result?.commit);
    expect(forge.pulls.filter(({ head }) => head === branch)).toHaveLength(1);
    const effects = await insist<{ items: EffectRecord[] }>(`/v1/runs/${run.id}/effects`);
    expect(effects.items.map(({ kind, status }) => [kind, status])).toEqual([
      ['push', 'done'],
      ['pull_request', 'done'],
    ]);
  }
  expect(runs.length).toBeGreaterThanOrEqual(AT_ONCE);
  expect(forge.effects.create).toBe(runs.length);
  console.log(`${runs.length} runs; gone on ${goneOn.map((ms) => `${ms} ms`).join(', ')} after everything was back`);
  expect(Math.max(0, ...goneOn)).toBeLessThan(GOES_ON_MS);
}, 900_000);
