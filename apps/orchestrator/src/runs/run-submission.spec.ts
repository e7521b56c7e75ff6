import { ACTION_CATALOGUE } from '@devmesh/contracts/catalogue';
import { SubmitRun } from '@devmesh/contracts/orchestrator-api';
import { describe, expect, it } from 'vitest';
import { fileURLToPath } from 'node:url';
import { WorkflowLibrary } from '../planning/workflow-library.js';
import { prepare, type SubmissionParts } from './run-submission.js';

const RUN = '019a0000-0000-7000-8000-000000000001';
const library = new WorkflowLibrary(fileURLToPath(new URL('../../../../workflows', import.meta.url)), ACTION_CATALOGUE);
const parts: SubmissionParts = {
  library,
  catalogue: ACTION_CATALOGUE,
  instances: (agent) => [`${agent}-1`],
  now: () => 5000,
  traceparent: () => null,
};
const commit = 'a'.repeat(40);
const repository = {
  ref: { bundles: ['b'.repeat(64)], commit, base: commit, shallow: [] },
  origin: 'here',
  notices: [],
};

function request(change: Partial<SubmitRun> = {}): SubmitRun {
  return SubmitRun.parse({
    projectId: 'p',
    requestedBy: 'me',
    task: '',
    workflow: null,
    repository,
    idempotency: null,
    ...change,
  });
}

describe('preparing a run', () => {
  it('delivers when there is neither text nor workflow, and schedules the first step with the create', () => {
    const { op } = prepare(parts, RUN, request(), false);
    expect(op.workflow.name).toBe('deliver');
    expect(op.events.map((event) => event.type)).toEqual(['RunCreated', 'StepScheduled']);
    expect(op.events[1]).toMatchObject({
      key: `${RUN}/understand/1/1`,
      instance: 'rag-context-1',
      input: { repository: repository.ref },
    });
    expect(op.wakeAt).toBe(7000);
  });

  it('plans a text, and keeps why', () => {
    const { op } = prepare(parts, RUN, request({ task: 'document the API' }), false);
    expect(op.events[0]).toMatchObject({
      plan: [{ step: 'documentation' }, { step: 'finish-integrate' }, { step: 'finish-report' }],
    });
  });

  it('has every step run tests that can, where they are asked for, and none otherwise', () => {
    const runTests = (change: Partial<SubmitRun>) => {
      const { workflow } = prepare(parts, RUN, request(change), false);
      return workflow.definition.steps.flatMap((step) =>
        'runTests' in step.with ? [[step.id, step.with['runTests']]] : [],
      );
    };
    expect(runTests({})).toEqual([]);
    expect(runTests({ runTests: false })).toEqual([]);
    expect(runTests({ runTests: true })).toEqual([['implement', true]]);
    // As a step of another workflow too.
    expect(runTests({ runTests: true, workflow: { name: 'deliver-pr' } })).toEqual([['deliver.implement', true]]);
    expect(runTests({ runTests: true, task: 'fix it' })).toEqual([['feature-dev', true]]);
    const { op, workflow } = prepare(parts, RUN, request({ runTests: true }), false);
    expect(op.workflow.digest).toBe(workflow.digest);
    expect(op.workflow.digest).not.toBe(prepare(parts, RUN, request(), false).workflow.digest);
  });

  it('holds a run that is to be executed later: no decision, no wake time', () => {
    const { op } = prepare(parts, RUN, request({ task: 'fix it' }), true);
    expect(op.events).toHaveLength(1);
    expect(op.wakeAt).toBeNull();
  });

  it('holds a plan of a text alone, to be looked at', () => {
    const { op } = prepare(parts, RUN, request({ task: 'fix it', repository: null }), true);
    expect(op.events).toMatchObject([{ type: 'RunCreated', plan: [{ step: 'feature-dev' }, {}, {}] }]);
  });

  it.each<[string, Partial<SubmitRun>, RegExp]>([
    [
      'an unknown name',
      { workflow: { name: 'nope' } },
      /no workflow nope; use one of deliver-pr, deliver, feature_implementation, review/,
    ],
    [
      'a workflow that does not parse',
      { workflow: { source: 'name: x\nsteps:\n  - agent: nobody\n' } },
      /line 3, column 5: there is no agent nobody/,
    ],
    [
      'tests of a workflow that runs none',
      { runTests: true, workflow: { name: 'review' } },
      /no step of workflow review runs tests \(feature-dev\/implement does\): leave runTests out/,
    ],
    [
      'work on a repository without one',
      { repository: null },
      /workflow deliver works on a repository \(step understand\)/,
    ],
  ])('refuses %s', (_, change, text) => {
    expect(() => prepare(parts, RUN, request(change), false)).toThrow(text);
  });

  it('gives the same workflow the same digest, however its source is written', () => {
    const one = library.fromSource('name: x\nsteps: [{agent: cicd}]\n');
    const two = library.fromSource('steps:\n  - agent: cicd\n# the same\nname: x\n');
    expect(two.digest).toBe(one.digest);
  });
});
