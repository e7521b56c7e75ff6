import { ACTION_CATALOGUE } from '@devmesh/contracts/catalogue';
import type { RunEvent } from '@devmesh/contracts/event';
import type { ForkRun } from '@devmesh/contracts/fork';
import type { Outcome } from '@devmesh/contracts/outcome';
import { advance, start } from '@devmesh/workflow/advance';
import { describe, expect, it } from 'vitest';
import { fileURLToPath } from 'node:url';
import { WorkflowLibrary } from '../planning/workflow-library.js';
import { prepareFork, type ForkParts } from './run-fork.js';

const SOURCE = '019a0000-0000-7000-8000-000000000001';
const RUN = '019a0000-0000-7000-8000-000000000002';
const library = new WorkflowLibrary(fileURLToPath(new URL('../../../../workflows', import.meta.url)), ACTION_CATALOGUE);
const { graph, digest } = library.fromSource(
  'name: two\nfinish: false\nsteps:\n  - {id: look, action: rag-context/index}\n  - {id: review, needs: look, action: code-review/review}\n',
);
const env = { now: 1000, instances: (agent: string) => [`${agent}-1`] };
/** Of an earlier round: listed by the source, and only a part of the tree in what is inherited. */
const earlier = {
  digest: 'e'.repeat(64),
  name: 'x.bundle',
  mediaType: 'application/x-git-bundle',
  size: 1,
  step: 'look',
  iteration: 1,
};
const other = { ...earlier, digest: 'f'.repeat(64) };
const sarif = { digest: 'd'.repeat(64), name: 'x.sarif', mediaType: 'application/json', size: 1 };

/** A run whose second step failed, as the state service tells it, from event `first` on. */
function source(first = 1): ForkParts {
  const begun = start(
    graph,
    SOURCE,
    {
      type: 'RunCreated',
      at: 1,
      workflow: { name: 'two', digest },
      task: 't',
      repository: null,
      requestedBy: 'me',
      plan: null,
      traceparent: null,
    },
    env,
  );
  const events: RunEvent[] = [...begun.events];
  let { state } = begun;
  const outcomes: Record<string, Outcome> = {
    look: { kind: 'succeeded', output: { sarif, repository: { bundles: [earlier.digest] } } },
    review: { kind: 'failed', error: { code: 'action_failed', message: 'no', retryable: false } },
  };
  for (const [step, outcome] of Object.entries(outcomes)) {
    const next = advance(graph, state, [{ kind: 'result', key: `${SOURCE}/${step}/1/1`, outcome }], env);
    events.push(...next.events);
    state = next.state;
  }
  const stored = events.map((event, index) => ({ seq: index + 1, event })).slice(first - 1);
  return {
    catalogue: ACTION_CATALOGUE,
    instances: env.instances,
    now: () => 5000,
    traceparent: () => null,
    workflows: { graph: () => Promise.resolve(graph) },
    state: {
      run: () => Promise.resolve({ workflow: 'two', workflowDigest: digest, task: 't', repository: null }),
      events: () => Promise.resolve({ events: stored, progress: [], ended: true }),
      runArtifacts: () => Promise.resolve([{ ...sarif, step: 'look', iteration: 1 }, earlier, other]),
    } as unknown as ForkParts['state'],
  };
}

function request(change: Partial<ForkRun>): ForkRun {
  const same = { projectId: 'p', requestedBy: 'you', at: null, input: null, idempotency: null };
  return { ...same, kind: 'retry', from: null, ...change };
}

describe('preparing a run that goes on from another one', () => {
  it('pins the same workflow, keeps the artifacts of what it inherits, and starts the rest', async () => {
    const op = await prepareFork(source(), SOURCE, RUN, request({}));
    expect(op).toMatchObject({ workflow: { name: 'two', digest }, projectId: 'p', wakeAt: 7000 });
    expect(op.events.map(({ type }) => type)).toEqual(['RunCreated', 'StepsInherited', 'StepScheduled']);
    expect(op.artifacts).toEqual([{ ...sarif, step: 'look', iteration: 1 }, earlier]);
  });

  it('counts no more events than it was told to', async () => {
    const op = await prepareFork(source(), SOURCE, RUN, request({ kind: 'fork', from: 'review', input: {}, at: 2 }));
    expect(op.events.map(({ type }) => type)).toEqual(['RunCreated', 'StepScheduled']);
    expect(op.events[0]).toMatchObject({ forkOf: { runId: SOURCE, at: 2 } });
  });

  it.each<[string, number, Partial<ForkRun>, string, RegExp]>([
    ['events that were pruned', 3, {}, 'gone', /were removed/],
    ['an event that is not there', 1, { kind: 'fork', from: 'look', at: 99 }, 'invalid_request', /from 1 to \d+$/],
    ['a step that is not there', 1, { kind: 'rerun', from: 'x' }, 'conflict', /name one of look, review/],
    [
      'an input that the action does not have',
      1,
      { kind: 'fork', from: 'review', input: { nonsense: 1 } },
      'invalid_input',
      /code-review\/review has no nonsense; it has/,
    ],
    [
      'an input of another type',
      1,
      { kind: 'fork', from: 'review', input: { repository: 1 } },
      'invalid_input',
      /\/input\/repository/,
    ],
  ])('refuses %s', async (_about, first, change, code, message) => {
    await expect(prepareFork(source(first), SOURCE, RUN, request(change))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });
});
