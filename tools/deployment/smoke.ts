import { setTimeout as delay } from 'node:timers/promises';
import { EventList, RunView } from '@devmesh/contracts/gateway-api';

export interface SmokeOptions {
  /** Address of the gateway. */
  readonly gateway: string;
  readonly apiKey: string;
  /** What the run reviews: a small repository that the mesh can clone. */
  readonly repository: string;
  readonly timeoutMs: number;
  /** Between two looks. */
  readonly pauseMs?: number;
}

export interface SmokeRun {
  readonly id: string;
  readonly verdict: string;
  /** Steps that were completed. */
  readonly steps: readonly string[];
}

/** Does one real run through the public door. Throws with what was not as it must be. */
export async function smokeRun(options: SmokeOptions): Promise<SmokeRun> {
  const { gateway, repository, timeoutMs, pauseMs = 1_000 } = options;
  const until = Date.now() + timeoutMs;
  const ready = await fetch(`${gateway}/health/ready`, { signal: AbortSignal.timeout(30_000) });
  if (!ready.ok) throw new Error(`${gateway} is not ready (${ready.status}): ${(await ready.text()).slice(0, 300)}`);
  const submitted = RunView.parse(
    await call(options, '/v1/runs', { workflow: { name: 'review' }, repository: { url: repository } }),
  );
  for (;;) {
    const run = RunView.parse(await call(options, `/v1/runs/${submitted.id}`));
    if (run.status === 'ended') return over(options, run);
    if (run.status === 'stuck')
      throw new Error(`run ${run.id} is stuck: ${run.lastTurnError ?? 'it does not say why'}`);
    if (Date.now() > until) throw new Error(`run ${run.id} is ${run.status} after ${Math.round(timeoutMs / 1000)} s`);
    await delay(pauseMs);
  }
}

async function over(options: SmokeOptions, { id, verdict, reason }: RunView): Promise<SmokeRun> {
  // A review that finds something rejects; that is its job.
  if (verdict !== 'passed' && verdict !== 'rejected') throw new Error(`run ${id} ended as ${verdict}: ${reason}`);
  const { events } = EventList.parse(await call(options, `/v1/runs/${id}/events`));
  const steps = events.flatMap(({ event }) => (event.type === 'StepCompleted' ? [event.step] : []));
  if (steps.length === 0) throw new Error(`run ${id} ended as ${verdict} without a step`);
  return { id, verdict, steps };
}

async function call({ gateway, apiKey }: SmokeOptions, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${gateway}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${apiKey}`,
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}
