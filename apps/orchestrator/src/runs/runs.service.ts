import { randomUUID } from 'node:crypto';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { ForkRun } from '@devmesh/contracts/fork';
import type { RunId } from '@devmesh/contracts/ids';
import type { SubmitReply, SubmitRun } from '@devmesh/contracts/orchestrator-api';
import type { PreviewRun, RunPreview } from '@devmesh/contracts/run-preview';
import type { CreateOp } from '@devmesh/contracts/state-api';
import { acquiredByCreate } from '@devmesh/engine/turn';
import type { Created, StateClient } from '@devmesh/service-client/state.client';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import { previewOf } from '../planning/preview.js';
import type { WorkflowStore } from '../state/workflow-store.js';
import type { TurnPlace } from '../turns/turn-runner.js';
import { prepareFork } from './run-fork.js';
import { assertNeedsNone, chooseWorkflow, prepare, type SubmissionParts } from './run-submission.js';

export interface RunsParts extends SubmissionParts {
  readonly state: StateClient;
  readonly workflows: WorkflowStore;
  /** What this orchestrator is called as an owner of runs. */
  readonly owner: string;
  /** Room for a first turn in this process; undefined when there is none. */
  readonly reserve: () => TurnPlace | undefined;
  /** Puts a job on the queue at once, so that nobody waits for the due poll. */
  readonly hint: (runId: RunId, priority: number) => Promise<void>;
  readonly newRunId: () => RunId;
  readonly logger: Logger;
}

/** Takes runs in, and passes on what people tell them. */
export class RunsService {
  constructor(private readonly parts: RunsParts) {}

  /** Plans, stores, and lets it run; `held` leaves it lying until `execute`. */
  async submit(request: SubmitRun, held = false): Promise<SubmitReply> {
    const { workflows } = this.parts;
    const { op, workflow } = prepare(this.parts, this.parts.newRunId(), request, held);
    await workflows.store(workflow.digest, workflow.definition, workflow.graph);
    return this.accept(op, held);
  }

  /** A new run that goes on from another one, by the same workflow. */
  async fork(source: RunId, request: ForkRun): Promise<SubmitReply> {
    return this.accept(await prepareFork(this.parts, source, this.parts.newRunId(), request), false);
  }

  /** What a submit of this would do; stores and starts nothing. */
  preview({ task, workflow: choice, repository, runTests }: PreviewRun): RunPreview {
    const { catalogue, instances } = this.parts;
    const { workflow, plan } = chooseWorkflow(this.parts, { task, workflow: choice, runTests });
    if (!repository) assertNeedsNone(catalogue, workflow);
    return previewOf(workflow, plan, catalogue, instances);
  }

  private async accept(op: CreateOp, held: boolean): Promise<SubmitReply> {
    const { state, logger, owner } = this.parts;
    const { op: _op, ...create } = op;
    const place = held ? undefined : this.parts.reserve();
    let created: Created;
    try {
      created = await state.create(place ? { ...create, owner } : create);
    } catch (error) {
      place?.release();
      throw error;
    }
    const { runId, fresh, queued, epoch } = created;
    if (place && epoch !== undefined) place.take(runId, acquiredByCreate(op, epoch));
    else place?.release();
    // One that waits for its place is woken by whoever frees it.
    if (fresh && !held && queued !== true && epoch === undefined) {
      // Losing the hint costs the grace of the wake time, and nothing else.
      this.parts
        .hint(runId, op.priority ?? 0)
        .catch((error: unknown) =>
          logger.warn('a run could not be put on the queue; the due poll will', { runId, error }),
        );
    }
    if (fresh) logger.info('run accepted', { runId, workflow: op.workflow.name, held });
    return { runId, workflow: op.workflow, fresh };
  }

  /** `accepted` is false when the run had ended. */
  async cancel(runId: RunId, by: string, reason: string): Promise<{ runId: RunId; accepted: boolean }> {
    const { ended } = await this.parts.state.postInbox(runId, {
      dedupeKey: 'cancel',
      message: { kind: 'cancel', by, reason },
    });
    return { runId, accepted: !ended };
  }

  /** What is under way ends; nothing new is started. `accepted` is false when the run had ended. */
  async pause(runId: RunId, by: string, reason: string): Promise<{ runId: RunId; accepted: boolean }> {
    const message = { kind: 'pause', by, reason } as const;
    const { ended } = await this.parts.state.postInbox(runId, { dedupeKey: `pause/${randomUUID()}`, message });
    return { runId, accepted: !ended };
  }

  /** Wakes a run, a stuck one too, and lets a paused one go on. Throws `run_ended`. */
  async resume(runId: RunId, by: string): Promise<void> {
    const message = { kind: 'resume', by } as const;
    await this.parts.state.postInbox(runId, { dedupeKey: `resume/${randomUUID()}`, message });
    await this.parts.state.resume(runId);
  }

  /** Lets a held run go; for one that runs already, nothing. */
  async execute(runId: RunId): Promise<string> {
    const { ended } = await this.parts.state.postInbox(runId, { dedupeKey: 'execute', message: { kind: 'wake' } });
    if (ended) throw new DevmeshError('run_ended', `task ${runId} has ended; orchestrate it again to run it again`);
    return 'running';
  }
}
