import { Writable } from 'node:stream';
import type { TurnPorts } from '@devmesh/engine/ports';
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
  const ports = {
    state: {
      acquire: async () => {
        seen.push(workContext());
        await gate.promise;
        return { result: 'refused', code: 'not_found', message: 'none' };
      },
    },
  } as unknown as TurnPorts;
  const runner = new TurnRunner(ports, { owner: 'me', times: TURN_TIMES }, QUIET);
  return { runner, seen, end: () => gate.resolve() };
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
