import { Writable } from 'node:stream';
import type { TurnPorts } from '@devmesh/engine/ports';
import { acquiredByCreate } from '@devmesh/engine/turn';
import { TURN_TIMES } from '@devmesh/engine/turn-times';
import { withWorkContext, workContext, type WorkContext } from '@devmesh/service-kit/context/request-context';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { describe, expect, it } from 'vitest';
import { TurnRunner } from './turn-runner.js';

const RUN = '019a0000-0000-7000-8000-000000000001';
const OTHER = '019a0000-0000-7000-8000-000000000002';
const QUIET = Logger.create({
  service: 'test',
  level: 'error',
  stream: new Writable({ write: (_c, _e, done) => done() }),
});

/** A runner whose turns wait in their first call, and end there; `seen` is the context of each. */
function runnerOf() {
  const seen: WorkContext[] = [];
  const gate = Promise.withResolvers<void>();
  const graphs = { graph: (_digest: string): Promise<never> => Promise.reject(new Error('no graph')) };
  const ports = {
    state: {
      acquire: async () => {
        seen.push(workContext());
        await gate.promise;
        return { result: 'refused', code: 'not_found', message: 'none' };
      },
      turnFailed: () => Promise.resolve(),
    },
    graphs,
  } as unknown as TurnPorts;
  const runner = new TurnRunner(ports, { owner: 'me', times: TURN_TIMES }, QUIET);
  return { runner, seen, graphs, end: () => gate.resolve() };
}

describe('turns in this process', () => {
  it('do not inherit the deadline of the request that stored the run', () => {
    const { runner, seen } = runnerOf();
    withWorkContext({ deadlineAt: 5 }, () => runner.takeNow(RUN, 1));
    expect(seen).toEqual([{ runId: RUN }]);
  });

  it('are at most one of a run, and at most so many at once when taken now', () => {
    const { runner, seen } = runnerOf();
    expect(runner.takeNow(RUN, 2)).toBe(true);
    expect(runner.takeNow(RUN, 2)).toBe(false);
    expect(runner.takeNow(OTHER, 1)).toBe(false);
    void runner.take(RUN);
    expect(seen).toHaveLength(1);
    expect(runner.takeNow(OTHER, 2)).toBe(true);
    expect(runner.count).toBe(2);
  });

  it('find the room that was kept for them, once', () => {
    const { runner } = runnerOf();
    const kept = runner.reserve(2);
    expect(runner.takeNow(OTHER, 2)).toBe(true);
    expect(runner.reserve(2)).toBeUndefined();
    expect(runner.takeNow(RUN, 2)).toBe(false);
    kept?.release();
    kept?.release();
    expect(runner.takeNow(RUN, 2)).toBe(true);
    expect(runner.reserve(2)).toBeUndefined();
  });

  it('of a run that its create gave to this process begin without an acquire', async () => {
    const { runner, seen, graphs, end } = runnerOf();
    const digests: string[] = [];
    const kept = runner.reserve(1);
    const acquired = acquiredByCreate({ events: [], workflow: { digest: 'd'.repeat(64), name: 'x' } }, 1);
    graphs.graph = (digest) => {
      digests.push(digest);
      return Promise.reject(new Error('no graph'));
    };
    withWorkContext({ deadlineAt: 5 }, () => kept?.take(RUN, acquired));
    await runner.settled();
    end();
    expect(digests).toEqual(['d'.repeat(64)]);
    expect(seen).toEqual([]);
  });

  it('are waited for, and leave nothing behind', async () => {
    const { runner, end } = runnerOf();
    runner.takeNow(RUN, 2);
    let settled = false;
    const settling = runner.settled().then(() => (settled = true));
    expect(settled).toBe(false);
    end();
    await settling;
    expect(runner.count).toBe(0);
  });
});
