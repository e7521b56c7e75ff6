import { broken } from '@devmesh/testing/mesh-box-evidence';
import { opsOf } from '@devmesh/testing/mesh-box-wire';
import { BOX_WORKFLOWS, longStep } from '@devmesh/testing/mesh-box-workflows';
import type { BatchReply } from '@devmesh/contracts/state-api';
import { describe, expect, test } from 'vitest';
import { useMeshBox } from './use-mesh-box.js';

describe('two orchestrators at once', () => {
  const box = useMeshBox({ orchestrators: 2, agents: 2 });

  test('C7: every job of every run doubled, and taken by both', async () => {
    let stale = 0;
    box().wire.watch(({ phase, calls, answer }) => {
      if (phase === 'answer' && (calls.has('append') || calls.has('park'))) {
        const { results } = JSON.parse(answer) as { results: BatchReply['results'] };
        stale += results.filter((result) => result.result === 'refused' && result.code === 'stale_epoch').length;
      }
      return undefined;
    });
    const sources = [BOX_WORKFLOWS.six, BOX_WORKFLOWS.loop, BOX_WORKFLOWS.slow, BOX_WORKFLOWS.once];
    const ids = await Promise.all(
      Array.from({ length: 48 }, (_, at) => box().submit(sources[at % sources.length] ?? '')),
    );
    let doubled = 0;
    for (let round = 1; ; round++) {
      const jobs = await box().query(DOUBLE_EVERY_JOB, [String(round)]);
      if (jobs.length === 0) break;
      doubled += jobs.length;
    }
    await box().ended(ids);
    const evidence = await box().evidence(ids);
    console.log(`${doubled} jobs were added; ${stale} appends of owners that had been taken over were refused`);
    expect(doubled).toBeGreaterThan(ids.length);
    expect(stale).toBeGreaterThan(0);
    expect(broken(evidence)).toEqual([]);
  });

  test('C8: an owner paused after its append, waking up after another took over', async () => {
    const refused: string[] = [];
    box().wire.watch(({ phase, caller, answer, calls }) => {
      if (
        phase === 'answer' &&
        (calls.has('append') || calls.has('park') || calls.has('execute')) &&
        answer.includes('stale_epoch')
      )
        refused.push(caller);
      return undefined;
    });
    // Whoever commits the result of the first step sleeps with the answer on its way.
    const paused = box().wire.next(
      (passage) =>
        passage.phase === 'answer' &&
        opsOf(passage).some(
          (op) =>
            op.op === 'append' && op.events.some((event) => event.type === 'StepCompleted' && event.step === 'first'),
        ),
      async ({ caller }) =>
        box()
          .kill(caller, 'SIGSTOP')
          .then(() => undefined),
    );
    const run = await box().submit(BOX_WORKFLOWS.slow);
    const { caller } = await paused;
    const other = caller === 'orchestrator-1' ? 'orchestrator-2' : 'orchestrator-1';
    await box().wire.next(
      (passage) =>
        passage.caller === other &&
        passage.phase === 'answer' &&
        passage.calls.has('execute') &&
        passage.body.includes(run),
    );
    await box().kill(caller, 'SIGCONT');
    await box().ended([run]);
    const evidence = await box().evidence([run]);
    expect(broken(evidence)).toEqual([]);
    expect(evidence.bodies).toHaveLength(4);
    expect(refused).toContain(caller);
  });

  test('an orchestrator that dies and stays away: the other ends its runs', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => box().submit(longStep(300))));
    await box().kill('orchestrator-1');
    const killed = Date.now();
    await box().ended(ids);
    const evidence = await box().evidence(ids);
    expect(broken(evidence)).toEqual([]);
    expect(box().isUp('orchestrator-1')).toBe(false);
    // What is promised of a host that is gone: a turn's lease and a poll later each run goes on.
    const next = evidence.runs.flatMap(
      ({ events }) => events.find(({ event }) => 'at' in event && event.at > killed)?.event ?? [],
    );
    expect(next.length).toBeGreaterThan(0);
    for (const event of next)
      expect(event).toMatchObject({ at: expect.toSatisfy((at: number) => at < killed + 5_000) as number });
  });
});

/** A job for every run that has not ended, beside those that are there. */
const DOUBLE_EVERY_JOB = `
  select queue.add_job('runs', run_id || '-double-' || $1, 'turn', jsonb_build_object('runId', run_id),
    '{"removeOnComplete": true, "removeOnFail": true, "attempts": 1}', 0, 0,
    (extract(epoch from clock_timestamp()) * 1000)::bigint, 1, null, null, null, null, null, false)
  from run_heads where status <> 'ended'`;
