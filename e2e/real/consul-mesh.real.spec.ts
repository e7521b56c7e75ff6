import type { RunView } from '@devmesh/contracts/gateway-api';
import type { AgentList } from '@devmesh/contracts/orchestrator-api';
import type { StoredEvent } from '@devmesh/contracts/event';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import { ConsulAgent } from '@devmesh/testing/consul';
import { describeWith } from '@devmesh/testing/peers';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Devmesh } from '../support/devmesh.js';
import { processesOf } from '../support/leftovers.js';

const SOURCE = `
name: reviews
finish: false
steps:
  - { id: a, action: code-review/review }
  - { id: b, action: code-review/review }
  - { id: c, action: code-review/review }
  - { id: d, action: code-review/review }
`;
/** How long Consul stays away. */
const OUTAGE_MS = 60_000;
const NINE = [
  'cicd',
  'code-review',
  'documentation',
  'feature-dev',
  'gateway',
  'infrastructure',
  'orchestrator',
  'rag-context',
  'state-persistence',
];

describeWith(['consul'], 'a mesh that finds itself through Consul, with two instances of one agent', () => {
  let consul: ConsulAgent;
  let devmesh: Devmesh;
  let folder: string;
  let repository: RunView['repository'];

  beforeAll(async () => {
    consul = await ConsulAgent.start();
    // The second instance is told to nobody but Consul.
    devmesh = await Devmesh.make(inject('clone'), { DEVMESH_ENDPOINTS: '{}' });
    const up = await devmesh.run(['up', '--quiet', '--consul', consul.address, '--instances', 'code-review=2']);
    expect(up).toMatchObject({ code: 0, stderr: '' });
    folder = makeRepository([['index.js', 'console.log("hello");\n']]);
    const first = await devmesh.json<{ run: RunView }>(['run', '--repo', folder, '--workflow', 'review']);
    repository = first.data.run.repository;
  });

  afterAll(async () => {
    await devmesh.down();
    const left = processesOf(devmesh.folder);
    await devmesh.remove();
    await consul.stop();
    removeAll(folder);
    expect(left).toEqual([]);
  });

  async function submit(key: string): Promise<string> {
    const response = await devmesh.request('/v1/runs', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ workflow: { source: SOURCE }, repository }),
    });
    expect(response.status).toBe(202);
    return ((await response.json()) as RunView).id;
  }
  const ended = (run: string): Promise<RunView> =>
    devmesh.until<RunView>(`/v1/runs/${run}`, ({ status }) => status === 'ended');
  const reviewers = async (): Promise<AgentList['items'][number]['instances']> => {
    const { items } = (await (await devmesh.request('/v1/agents')).json()) as AgentList;
    return items.find(({ agent }) => agent === 'code-review')?.instances ?? [];
  };
  /** Of one that Consul lists, in order. */
  const passing = async (service: string): Promise<string[]> =>
    (await consul.entries(service))
      .filter(({ Checks }) => Checks.every(({ Status }) => Status === 'passing'))
      .map(({ Service }) => Service.ID)
      .sort();

  it('shows all of its services as passing, with version, revision and how they are', async () => {
    expect(await consul.services()).toEqual(NINE);
    for (const service of NINE)
      await expect.poll(() => passing(service), { timeout: 10_000 }).toHaveLength(service === 'code-review' ? 2 : 1);
    const [entry] = await consul.entries('orchestrator');
    expect(entry?.Service.Tags).toEqual([
      expect.stringMatching(/^version=\d+\.\d+\.\d+/),
      expect.stringMatching(/^revision=[0-9a-f]{7,40}/),
    ]);
    await expect
      .poll(() => consul.output(entry?.Service.ID ?? ''), { timeout: 5_000 })
      .toMatch(/200 OK.*"status":\s*"ok"/s);
  });

  it('shares work between both instances', async () => {
    await expect
      .poll(async () => (await reviewers()).filter(({ healthy }) => healthy).length, { timeout: 10_000 })
      .toBe(2);
    const run = await submit('shared');
    expect(await ended(run)).toMatchObject({ verdict: 'passed' });
    const { data } = await devmesh.json<{ events: StoredEvent[] }>(['events', run]);
    const taken = data.events.flatMap(({ event }) => (event.type === 'StepScheduled' ? [event.instance] : []));
    expect(new Set(taken).size).toBe(2);
  });

  it('leaves out an instance that was killed, and takes its successor in, while every run passes', async () => {
    const { data } = await devmesh.json<{ services: { name: string; pid: number; address: string }[] }>(['status']);
    const second = data.services.find(({ name }) => name === 'code-review-2');
    const before = (await reviewers()).find(({ address }) => address === second?.address)?.instance;
    expect(before).toBeDefined();
    const runs = await Promise.all(['k1', 'k2', 'k3'].map(submit));
    process.kill(second?.pid ?? 0, 'SIGKILL');
    runs.push(...(await Promise.all(['k4', 'k5', 'k6'].map(submit))));
    await expect
      .poll(async () => (await reviewers()).map(({ instance }) => instance), { timeout: 3_000, interval: 20 })
      .not.toContain(before);
    for (const run of runs) expect(await ended(run)).toMatchObject({ verdict: 'passed' });
    await expect
      .poll(async () => (await reviewers()).filter(({ healthy }) => healthy).length, { timeout: 20_000 })
      .toBe(2);
  });

  it('goes on while Consul is gone for a minute, without one failed request, and all nine are back in it when it is', async () => {
    await consul.kill();
    const back = Date.now() + OUTAGE_MS;
    const statuses: number[] = [];
    let rounds = 0;
    // Work all through it: longer than any answer is kept, any check lasts, and any pause between two attempts to register.
    while (Date.now() < back) {
      expect(await ended(await submit(`alone-${rounds++}`))).toMatchObject({ verdict: 'passed' });
      statuses.push((await devmesh.request('/v1/runs')).status, (await devmesh.request('/v1/agents')).status);
    }
    expect(rounds).toBeGreaterThan(5);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    await consul.restart();
    // It knows nothing: who is in it has registered anew.
    await expect.poll(() => consul.services(), { timeout: 30_000 }).toEqual(NINE);
    for (const service of NINE)
      await expect.poll(() => passing(service), { timeout: 30_000 }).toHaveLength(service === 'code-review' ? 2 : 1);
    expect(await ended(await submit('together'))).toMatchObject({ verdict: 'passed' });
  });

  it('is gone from Consul when it is stopped', async () => {
    await devmesh.down();
    await expect.poll(() => consul.services()).toEqual([]);
  });
});

describeWith(['consul'], 'a Consul that is not there', () => {
  it('is told at once, and nothing is started', async () => {
    const devmesh = await Devmesh.make(inject('clone'));
    const said = await devmesh.run(['up', '--consul', '127.0.0.1:9']);
    expect(said.code).not.toBe(0);
    expect(said.stderr).toMatch(/no Consul at 127\.0\.0\.1:9 .*consul agent -dev/);
    expect(processesOf(devmesh.folder)).toEqual([]);
    await devmesh.remove();
  });
});
