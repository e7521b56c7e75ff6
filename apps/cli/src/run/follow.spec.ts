import type { RunView } from '@devmesh/contracts/gateway-api';
import { describe, expect, it } from 'vitest';
import type { MeshApi, RunSignal } from '../gateway/mesh-api.js';
import { RUN_ID, runView } from '../testing/run-views.js';
import { followRun } from './follow.js';

const progress = (message: string): RunSignal => ({ kind: 'progress', step: 'review', message });
const ended = runView({ status: 'ended', verdict: 'passed' });

/** Sends the given signals, and answers each look with the next view (the last one again). */
function scripted(
  signals: readonly RunSignal[],
  views: readonly RunView[],
  then: 'end' | 'hang' | Error = 'end',
): { api: MeshApi; looks: () => number } {
  let looks = 0;
  const api: Partial<MeshApi> = {
    run: async () => views[Math.min(looks++, views.length - 1)] ?? ended,
    watch: async function* (id, after, signal) {
      expect(id).toBe(RUN_ID);
      expect(after).toBe(3);
      yield* signals;
      if (then === 'end') yield { kind: 'end' };
      else if (then === 'hang')
        await new Promise<void>((resolve) =>
          signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve()),
        );
      else throw then;
    },
  };
  return { api: api as MeshApi, looks: () => looks };
}

describe('followRun', () => {
  const options = { signal: new AbortController().signal, everyMs: 0 };

  it('looks again until the view itself is at its end', async () => {
    const { api, looks } = scripted([], [runView(), runView(), ended]);
    expect(await followRun(api, runView(), { ...options, seen: () => {} })).toBe(ended);
    expect(looks()).toBe(3);
  });

  it('asks nothing of a run that is over, or stuck', async () => {
    const { api, looks } = scripted([], []);
    const stuck = runView({ status: 'stuck' });
    expect(await followRun(api, stuck, { ...options, seen: () => {} })).toBe(stuck);
    expect(looks()).toBe(0);
  });

  it('passes on what steps say', async () => {
    const heard: (string | undefined)[] = [];
    const { api } = scripted([progress('reading'), progress('judging')], [ended]);
    await followRun(api, runView(), { ...options, seen: (_, said) => heard.push(said.get('review')) });
    expect(heard).toContain('reading');
    expect(heard).toContain('judging');
  });

  it('passes on that work is sent back, which no view shows', async () => {
    const event = {
      type: 'ReworkStarted' as const,
      at: 1,
      by: 'verify',
      on: 'rejection' as const,
      round: 1,
      target: 'implement',
      reset: [{ step: 'implement', iteration: 2 }],
      superseded: [],
      note: { from: 'verify', output: {} },
    };
    const heard: string[] = [];
    const { api } = scripted([{ kind: 'event', event: { seq: 4, event } }], [ended]);
    await followRun(api, runView(), { ...options, seen: () => {}, sentBack: ({ by }) => heard.push(by) });
    expect(heard).toEqual(['verify']);
  });

  it('leaves when it is told to, without an error', async () => {
    const leave = new AbortController();
    const { api } = scripted([progress('x')], [runView()], 'hang');
    const over = followRun(api, runView(), {
      signal: leave.signal,
      everyMs: 0,
      seen: (_, said) => {
        if (said.size > 0) leave.abort();
      },
    });
    expect(await over).toBeNull();
  });

  it('throws what the stream refuses', async () => {
    const { api } = scripted([], [runView()], new Error('no such run'));
    await expect(followRun(api, runView(), { ...options, seen: () => {} })).rejects.toThrow('no such run');
  });
});
