import type { MeshBox } from '@devmesh/testing/mesh-box';
import { broken, fateOf, type Evidence } from '@devmesh/testing/mesh-box-evidence';
import { histogram, killAgainAndAgain, type Kill } from '@devmesh/testing/mesh-box-kills';
import { opsOf } from '@devmesh/testing/mesh-box-wire';
import { BOX_WORKFLOWS, type BoxWorkflow } from '@devmesh/testing/mesh-box-workflows';
import { describe, expect, test } from 'vitest';
import { useMeshBox } from './use-mesh-box.js';

/** `CRASH_SEED=42 CRASH_RUNS=1000 CRASH_KILLS=200` for longer runs by hand. */
const SEED = Number(process.env['CRASH_SEED'] ?? 20_261);
const RUNS = Number(process.env['CRASH_RUNS'] ?? 100);
const KILLS = Number(process.env['CRASH_KILLS'] ?? 24);

const ORCHESTRATOR = 'orchestrator-1';
/** For the slowest machine, ms. */
const PATIENCE_MS = 100_000 + KILLS * 5_000;

const CHAIN = `
name: chain
finish: false
steps:
  - { id: a, action: noop/act }
  - { id: b, action: noop/act, needs: a }
  - { id: c, action: noop/act, needs: b }
  - { id: d, action: noop/act, needs: c }
  - { id: e, action: noop/act, needs: d }
  - { id: f, action: noop/act, needs: e }
`;

/** No execution reaches an agent until the function that this gives is called. */
function holdDispatches(box: MeshBox): () => void {
  const released = Promise.withResolvers<undefined>();
  const end = box.wire.watch(({ calls, phase }) =>
    calls.has('execute') && phase === 'request' ? released.promise : undefined,
  );
  return () => {
    end();
    released.resolve(undefined);
  };
}

interface Disturbed {
  readonly kills: readonly Kill[];
  readonly evidence: Evidence;
  /** What became of a run of each workflow that nobody disturbed, by the workflow's name. */
  readonly expected: ReadonlyMap<string, unknown>;
}

/**
 * Runs of these workflows, `runs` of them in flight when the first kill comes and more with every kill, while the orchestrator
 * is killed and started again; then all are left to end.
 */
async function disturb(box: MeshBox, mix: readonly BoxWorkflow[], runs: number, kills: number): Promise<Disturbed> {
  const calm = await Promise.all(mix.map((workflow) => box.submit(BOX_WORKFLOWS[workflow])));
  await box.ended(calm);
  const expected = new Map((await box.evidence(calm)).runs.map((run) => [run.graph.workflow.name, fateOf(run)]));

  let round = 0;
  // Each round's workflows are new to the orchestrator, so that they are stored, and read after a restart.
  const submit = (at: number) =>
    box.submit(`${BOX_WORKFLOWS[mix[at % mix.length] ?? 'six']}description: of round ${round}\n`);
  const resume = holdDispatches(box);
  const submitted = Array.from({ length: runs }, (_, at) => submit(at));
  await Promise.all(submitted);

  const done = await killAgainAndAgain(box, {
    orchestrator: ORCHESTRATOR,
    seed: SEED,
    kills,
    before: () => {
      resume();
      round++;
      // There is always a create to be killed at, and never too little under way.
      for (let more = 0; more < runs / 12; more++) submitted.push(submit(submitted.length));
    },
  });
  await box.healthy(ORCHESTRATOR);
  const ids = await Promise.all(submitted);
  await box.ended(ids, PATIENCE_MS);
  return { kills: done, evidence: await box.evidence(ids), expected };
}

describe('C2, C3, C15: the orchestrator killed again and again', () => {
  const box = useMeshBox({ turns: 32 });

  test(
    `${RUNS} runs in flight end by themselves with the fate of an undisturbed run, and no body runs twice`,
    async () => {
      const mix: BoxWorkflow[] = ['six', 'loop', 'slow', 'six', 'retry', 'once', 'slow', 'failing'];
      const { kills, evidence, expected } = await disturb(box(), mix, RUNS, KILLS);

      const { text, committedShare } = histogram(kills);
      const turns = evidence.runs.map(({ epoch }) => epoch);
      console.log(
        `seed ${SEED}: ${kills.length} kills, ${evidence.runs.length} runs, ${evidence.bodies.length} bodies, in flight at the kills: ` +
          `${kills.map(({ inFlight }) => inFlight).join(' ')}; turns of a run: ${Math.max(...turns)} at most\n${text}`,
      );
      expect(kills[0]?.inFlight).toBeGreaterThanOrEqual(RUNS);
      expect(kills.length).toBeGreaterThanOrEqual(KILLS * 0.8);
      expect(committedShare).toBeGreaterThanOrEqual(0.3);
      expect(broken(evidence)).toEqual([]);
      for (const run of evidence.runs) expect(fateOf(run)).toEqual(expected.get(run.graph.workflow.name));
      // Neither a death nor a wait for a slow result makes a run spin.
      expect(Math.max(...turns)).toBeLessThanOrEqual(kills.length + 10);
    },
    PATIENCE_MS * 2,
  );

  test('the owner of one run, killed three times when an append of it has committed', async () => {
    const resume = holdDispatches(box());
    const run = await box().submit(CHAIN);
    for (let time = 0; time < 3; time++) {
      const killed = box().wire.next(
        (passage) =>
          passage.phase === 'answer' && opsOf(passage).some((op) => op.op === 'append' && op.runId === run && !op.park),
        async () => {
          await box().kill(ORCHESTRATOR);
          return 'break';
        },
      );
      resume();
      await killed;
      await box().start(ORCHESTRATOR);
    }
    await box().ended([run]);
    const evidence = await box().evidence([run]);
    expect(broken(evidence)).toEqual([]);
    expect(evidence.bodies).toHaveLength(6);
    expect(evidence.runs[0]?.epoch).toBeGreaterThanOrEqual(4);
  });

  test('a restarted orchestrator resumes its runs at once, though their wake times are hours away', async () => {
    const killed = box().wire.next(
      ({ calls, phase }) => calls.has('execute') && phase === 'request',
      async () => {
        await box().kill(ORCHESTRATOR);
        return 'break';
      },
    );
    const run = await box().submit(CHAIN);
    await killed;
    const held = await box().query(
      `update run_heads set wake_at = wake_at + interval '5 hours' where run_id = $1 and status = 'running' returning 1`,
      [run],
    );
    expect(held).toHaveLength(1);
    const steps: string[] = [];
    box().wire.watch((passage) => {
      const { calls, phase, answer } = passage;
      if (phase === 'answer' && calls.has('due') && answer.includes(run)) steps.push('handed out');
      if (phase === 'request' && opsOf(passage).some((op) => op.op === 'acquire' && op.runId === run))
        steps.push('acquired');
      return undefined;
    });
    await box().start(ORCHESTRATOR);
    await box().ended([run]);
    // Not handed out to nobody first, to wait for the end of that lease.
    expect(steps.slice(0, 2)).toEqual(['handed out', 'acquired']);
    expect(broken(await box().evidence([run]))).toEqual([]);
  });
});

describe('the same with agents that do not join by key', () => {
  const box = useMeshBox({ turns: 32, join: false });

  test('is noticed: bodies that ran twice at an agent that stayed up', async () => {
    // Results that come to the inbox are left out: an agent without memory never sends one.
    const { evidence } = await disturb(box(), ['six', 'retry', 'failing'], Math.min(RUNS, 20), Math.min(KILLS, 5));
    const twice = broken(evidence).filter((text) => /ran at .* and again at .* while that was alive/.test(text));
    expect(twice).not.toEqual([]);
  });
});
