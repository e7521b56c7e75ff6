import type { EventOf, StoredEvent } from '@devmesh/contracts/event';
import { broken } from '@devmesh/testing/mesh-box-evidence';
import { BOX_WORKFLOWS, longStep } from '@devmesh/testing/mesh-box-workflows';
import { describe, expect, test } from 'vitest';
import { useMeshBox } from './use-mesh-box.js';

function outcomes(events: readonly StoredEvent[]): string[] {
  return events.flatMap(({ event }) => (event.type === 'StepCompleted' ? [`${event.step} ${event.outcome.kind}`] : []));
}

function verdict(events: readonly StoredEvent[]): EventOf<'RunEnded'>['verdict'] | undefined {
  return events.map(({ event }) => event).find((event) => event.type === 'RunEnded')?.verdict;
}

describe('agents that die, and calls that get lost', () => {
  const box = useMeshBox({ agents: 2 });

  /** One after the other, each when the step of the one before has reached its agent: so that every agent gets some. */
  async function spread<T>(count: number, submit: (at: number) => Promise<T>): Promise<T[]> {
    const submitted: T[] = [];
    const before = box().bodies().length;
    for (let at = 0; at < count; at++) {
      submitted.push(await submit(at));
      await box().until('its step has begun', async () => box().bodies().length > before + at);
    }
    return submitted;
  }

  function signal(name: string, what: NodeJS.Signals): void {
    const pid = box().pid(name);
    if (pid === undefined) throw new Error(`${name} is not up`);
    process.kill(pid, what);
  }

  test('an agent killed in mid-step and started again: its steps run again there, under the same key, and no others', async () => {
    const ids = await spread(8, () => box().submit(longStep(3_000)));
    const dead = box().pid('agent-1');
    await box().kill('agent-1');
    await box().start('agent-1');
    await box().ended(ids);
    const evidence = await box().evidence(ids);
    expect(broken(evidence)).toEqual([]);
    const hit = evidence.bodies.filter(({ pid }) => pid === dead).map(({ key }) => key);
    expect(hit.length).toBeGreaterThan(0);
    expect(hit.length).toBeLessThan(ids.length);
    for (const { id, events } of evidence.runs) {
      const key = `${id}/long/1/1`;
      expect(verdict(events)).toBe('passed');
      expect(evidence.bodies.filter((body) => body.key === key)).toHaveLength(hit.includes(key) ? 2 : 1);
      expect(events.some(({ event }) => event.type === 'StepReassigned' && event.key === key)).toBe(hit.includes(key));
    }
  });

  test('an agent killed in a long step and started again: the run does not wait for the lease of what died', async () => {
    const id = await box().submit(longStep(4_000));
    const lease = async () =>
      (
        await box().query<{ until: Date }>(
          `select lease_until as until from executions where key = '${id}/long/1/1' and outcome is null`,
        )
      )[0]?.until.getTime();
    await box().until('the agent vouches for the step', async () => (await lease()) !== undefined);
    const pid = box()
      .bodies()
      .find(({ key }) => key === `${id}/long/1/1`)?.pid;
    const agent = box().agents.find((name) => box().pid(name) === pid) ?? '';
    const until = (await lease()) ?? 0;
    await box().kill(agent);
    await box().start(agent);
    await box().until(
      'the step has begun again',
      async () =>
        box()
          .bodies()
          .filter(({ key }) => key === `${id}/long/1/1`).length > 1,
    );
    expect(Date.now()).toBeLessThan(until);
    await box().ended([id]);
    expect(broken(await box().evidence([id]))).toEqual([]);
  });

  test('C18: an agent that stands still between its claim and its act, past its lease, does not act when it wakes up', async () => {
    const claimed = box().wire.next(
      ({ calls, phase }) => calls.has('claim') && phase === 'answer',
      async ({ caller }) => {
        signal(caller, 'SIGSTOP');
        return undefined;
      },
    );
    const id = await box().submit(longStep(100, 'probed'));
    const { caller } = await claimed;
    const bodies = () =>
      box()
        .bodies()
        .filter(({ key }) => key === `${id}/long/1/1`);
    await box().ended([id]);
    const asked = box().wire.next(
      (passage) => passage.caller === caller && passage.calls.has('claim') && passage.phase === 'answered',
    );
    signal(caller, 'SIGCONT');
    await asked;
    const evidence = await box().evidence([id]);
    expect(broken(evidence)).toEqual([]);
    expect(bodies().map(({ pid }) => pid)).not.toContain(box().pid(caller));
    expect(bodies()).toHaveLength(1);
    expect(verdict(evidence.runs[0]?.events ?? [])).toBe('passed');
  });

  test('C9: an agent that dies inside effects and stays away: lost or looked up, never done twice', async () => {
    const kinds = ['once', 'probed', 'slow'] as const;
    const runs = await spread(12, async (at) => {
      const kind = kinds[at % 3] ?? 'slow';
      return { kind, id: await box().submit(longStep(4_000, kind)) };
    });
    const ids = runs.map(({ id }) => id);
    const dead = box().pid('agent-1');
    await box().kill('agent-1');
    await box().ended(ids);
    const evidence = await box().evidence(ids);
    expect(broken(evidence)).toEqual([]);
    const hit = (id: string) => evidence.bodies.some(({ key, pid }) => key === `${id}/long/1/1` && pid === dead);
    expect(new Set(runs.filter(({ id }) => hit(id)).map(({ kind }) => kind))).toEqual(new Set(kinds));
    for (const { kind, id } of runs) {
      const events = evidence.runs.find((run) => run.id === id)?.events ?? [];
      const ran = evidence.bodies.filter(({ key }) => key === `${id}/long/1/1`).length;
      if (kind === 'once' && hit(id))
        expect([ran, verdict(events), outcomes(events)]).toEqual([1, 'failed', ['long lost']]);
      else expect([ran, verdict(events)]).toEqual([kind === 'slow' && hit(id) ? 2 : 1, 'passed']);
    }
  });

  test('C10: answers of dispatches lost on the wire, requests that arrive twice', async () => {
    let count = 0;
    box().wire.watch(({ calls, phase }) => {
      if (!calls.has('execute')) return undefined;
      if (phase === 'request') return ++count % 3 === 0 ? 'twice' : undefined;
      return phase === 'answer' && count % 4 === 0 ? 'break' : undefined;
    });
    const ids = await Promise.all(
      Array.from({ length: 10 }, (_, at) => box().submit(at % 2 ? BOX_WORKFLOWS.six : BOX_WORKFLOWS.once)),
    );
    await box().ended(ids);
    expect(broken(await box().evidence(ids))).toEqual([]);
  });

  test('C10: posts of slow results whose answer is lost are sent again, and dropped', async () => {
    const seen = new Map<string, number>();
    box().wire.watch(({ caller, calls, phase, body }) => {
      if (!caller.startsWith('agent-') || !calls.has('inbox') || phase !== 'answer') return undefined;
      seen.set(body, (seen.get(body) ?? 0) + 1);
      return seen.get(body) === 1 ? 'break' : undefined;
    });
    const ids = await Promise.all(Array.from({ length: 4 }, () => box().submit(BOX_WORKFLOWS.slow)));
    await box().ended(ids);
    await box().until('every post was sent again', async () => [...seen.values()].every((times) => times > 1));
    expect(seen.size).toBeGreaterThan(0);
    expect(broken(await box().evidence(ids))).toEqual([]);
  });

  test('C4: a slow result that arrives while the owner is in a turn is taken in by that turn', async () => {
    const posted = box().wire.next(
      ({ calls, phase, caller }) => calls.has('inbox') && phase === 'answered' && caller.startsWith('agent-'),
    );
    // The turn waits for the other step until the slow one is in the inbox.
    box().wire.watch(({ calls, phase, body }) =>
      calls.has('execute') && phase === 'answer' && body.includes('/quick/') ? posted.then(() => undefined) : undefined,
    );
    const run = await box().submit(`
name: both
finish: false
steps:
  - { id: slow, action: noop/slow, with: { ms: 1200 } }
  - { id: quick, action: noop/act }
`);
    await box().ended([run]);
    const evidence = await box().evidence([run]);
    expect(broken(evidence)).toEqual([]);
    expect(evidence.runs[0]?.epoch).toBe(1);
    expect(outcomes(evidence.runs[0]?.events ?? [])).toEqual(['quick succeeded', 'slow succeeded']);
  });

  test('C5: a cancel during a long step ends the run, and the step where it runs', async () => {
    const heeds = await box().submit(longStep(50_000));
    const deaf = await box().submit(longStep(2_500, 'slow', true));
    const ids = [heeds, deaf];
    await box().until('both are in the step', async () => ids.every((id) => box().bodiesOf(id).length === 1));
    await Promise.all(ids.map((id) => box().cancel(id)));
    await box().ended(ids, 40_000);
    const evidence = await box().evidence(ids);
    expect(broken(evidence)).toEqual([]);
    for (const { events } of evidence.runs) {
      expect(verdict(events)).toBe('cancelled');
      expect(events.at(-1)?.event.type).toBe('ExecutionStopped');
    }
    expect(evidence.bodies).toHaveLength(2);
  });
});
