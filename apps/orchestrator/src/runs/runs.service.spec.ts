import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ACTION_CATALOGUE } from '@devmesh/contracts/catalogue';
import type { RunId } from '@devmesh/contracts/ids';
import { SubmitRun } from '@devmesh/contracts/orchestrator-api';
import type { CreateOp } from '@devmesh/contracts/state-api';
import type { StateClient } from '@devmesh/service-client/state.client';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { describe, expect, it } from 'vitest';
import { WorkflowLibrary } from '../planning/workflow-library.js';
import { WorkflowStore } from '../state/workflow-store.js';
import { RunsService } from './runs.service.js';
import { TasksController } from './tasks.controller.js';

const RUN = '019a0000-0000-7000-8000-000000000001';
const QUIET = Logger.create({
  service: 'test',
  level: 'error',
  stream: new Writable({ write: (_c, _e, done) => done() }),
});
const library = new WorkflowLibrary(fileURLToPath(new URL('../../../../workflows', import.meta.url)), ACTION_CATALOGUE);
const commit = 'a'.repeat(40);
const repository = {
  ref: { bundles: ['b'.repeat(64)], commit, base: commit, shallow: [] },
  origin: 'here',
  notices: [],
};

/** The service over a state that remembers what it was told, in order; `known` is the run of a known idempotency key. */
function serviceOf(
  options: { known?: RunId; ended?: boolean; hintFails?: boolean; room?: boolean; refused?: boolean } = {},
) {
  const told: string[] = [];
  const created: Omit<CreateOp, 'op'>[] = [];
  const state = {
    putWorkflow: (digest: string) => {
      told.push(`workflow ${digest.slice(0, 4)}`);
      return Promise.resolve();
    },
    create: (op: Omit<CreateOp, 'op'>) => {
      told.push('create');
      created.push(op);
      if (options.refused === true) return Promise.reject(new Error('no state'));
      const fresh = options.known === undefined;
      const epoch = fresh && op.owner !== undefined && op.wakeAt !== null ? { epoch: 1 } : {};
      return Promise.resolve({ result: 'created', runId: options.known ?? op.runId, fresh, ...epoch });
    },
    postInbox: (_run: RunId, post: { dedupeKey: string }) => {
      told.push(`inbox ${post.dedupeKey}`);
      return Promise.resolve({ accepted: options.ended !== true, ended: options.ended === true });
    },
    resume: () => {
      told.push('resume');
      return Promise.resolve({});
    },
  } as unknown as StateClient;
  const service = new RunsService({
    library,
    catalogue: ACTION_CATALOGUE,
    instances: () => [],
    now: () => 5000,
    traceparent: () => null,
    state,
    workflows: new WorkflowStore(state),
    owner: 'orchestrator-1',
    reserve: () =>
      options.room === true
        ? {
            take: (runId, { epoch, events }) => told.push(`turn ${runId} ${epoch} ${events.length}`),
            release: () => told.push('release'),
          }
        : undefined,
    hint: () => {
      told.push('hint');
      return options.hintFails === true ? Promise.reject(new Error('the queue is away')) : Promise.resolve();
    },
    newRunId: () => RUN,
    logger: QUIET,
  });
  return { service, told, created };
}

function request(): SubmitRun {
  return SubmitRun.parse({
    projectId: 'p',
    requestedBy: 'me',
    task: '',
    workflow: null,
    repository,
    idempotency: null,
  });
}

describe('submitting', () => {
  it('stores the workflow, then the run, then gives the hint; the workflow only once', async () => {
    const { service, told } = serviceOf();
    expect(await service.submit(request())).toMatchObject({ runId: RUN, fresh: true, workflow: { name: 'deliver' } });
    await service.submit(request());
    expect(told).toEqual([expect.stringMatching(/^workflow /), 'create', 'hint', 'create', 'hint']);
  });

  it('takes the first turn itself where there is room, with the run as its create made it', async () => {
    const { service, told, created } = serviceOf({ room: true });
    await service.submit(request());
    expect(created[0]?.owner).toBe('orchestrator-1');
    expect(told.slice(1)).toEqual(['create', `turn ${RUN} 1 ${created[0]?.events.length}`]);
  });

  it.each([
    ['is known', { known: '019a0000-0000-7000-8000-000000000002' }],
    ['can not be stored', { refused: true }],
  ])('gives the room back when the run %s', async (_what, options) => {
    const { service, told } = serviceOf({ room: true, ...options });
    await service.submit(request()).catch(() => undefined);
    expect(told.slice(1)).toEqual(['create', 'release']);
  });

  it('answers the first run of a known idempotency key, and starts nothing', async () => {
    const other = '019a0000-0000-7000-8000-000000000002';
    const { service, told } = serviceOf({ known: other });
    expect(await service.submit(request())).toMatchObject({ runId: other, fresh: false });
    expect(told).not.toContain('hint');
  });

  it('has accepted the run when the hint fails: the wake time stands', async () => {
    const { service, created } = serviceOf({ hintFails: true });
    expect(await service.submit(request())).toMatchObject({ fresh: true });
    expect(created[0]?.wakeAt).toBe(7000);
  });
});

describe('a task in two strokes', () => {
  it('is held until it is executed', async () => {
    const { service, told, created } = serviceOf({ room: true });
    const tasks = new TasksController(service);
    expect(await tasks.orchestrate({ description: 'fix the cart', repository })).toEqual({ task_id: RUN });
    expect(created[0]).toMatchObject({ wakeAt: null, task: 'fix the cart' });
    expect(created[0]).not.toHaveProperty('owner');
    expect(told).not.toContain('hint');
    expect(await tasks.execute(RUN)).toEqual({ task_id: RUN, run_id: RUN, status: 'running' });
    expect(await tasks.resume(RUN)).toEqual({ task_id: RUN, run_id: RUN, status: 'running' });
    expect(told.slice(-3)).toEqual(['inbox execute', expect.stringMatching(/^inbox resume\/./) as string, 'resume']);
  });

  it('is not executed again once it has ended', async () => {
    const { service } = serviceOf({ ended: true });
    await expect(new TasksController(service).execute(RUN)).rejects.toThrow(/has ended; orchestrate it again/);
  });
});

describe('cancelling', () => {
  it('goes through the inbox under one key, and tells a run that has ended', async () => {
    const { service, told } = serviceOf();
    expect(await service.cancel(RUN, 'me', 'enough')).toEqual({ runId: RUN, accepted: true });
    expect(told).toEqual(['inbox cancel']);
    expect(await serviceOf({ ended: true }).service.cancel(RUN, 'me', '')).toEqual({ runId: RUN, accepted: false });
  });
});
