import { DevmeshError } from '@devmesh/contracts/errors';
import type { RunId } from '@devmesh/contracts/ids';
import type { SubmitReply, SubmitRun } from '@devmesh/contracts/orchestrator-api';
import type { StateClient } from '@devmesh/service-client/state.client';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import type { WorkflowStore } from '../state/workflow-store.js';
import { prepare, type SubmissionParts } from './run-submission.js';

export interface RunsParts extends SubmissionParts {
  readonly state: StateClient;
  readonly workflows: WorkflowStore;
  /** Puts a job on the queue at once, so that nobody waits for the due poll. */
  readonly hint: (runId: RunId) => Promise<void>;
  readonly newRunId: () => RunId;
  readonly logger: Logger;
}

/** Takes runs in, and passes on what people tell them. */
export class RunsService {
  constructor(private readonly parts: RunsParts) {}

  /** Plans, stores, and lets it run; `held` leaves it lying until `execute`. */
  async submit(request: SubmitRun, held = false): Promise<SubmitReply> {
    const { state, workflows, logger } = this.parts;
    const { op, workflow } = prepare(this.parts, this.parts.newRunId(), request, held);
    await workflows.store(workflow.digest, workflow.definition, workflow.graph);
    const { op: _op, ...create } = op;
    const { runId, fresh } = await state.create(create);
    if (fresh && !held) {
      // Losing the hint costs the grace of the wake time, and nothing else.
      this.parts
        .hint(runId)
        .catch((error: unknown) =>
          logger.warn('a run could not be put on the queue; the due poll will', { runId, error }),
        );
    }
    if (fresh) logger.info('run accepted', { runId, workflow: workflow.definition.name, held });
    return { runId, workflow: { name: workflow.definition.name, digest: workflow.digest }, fresh };
  }

  /** `accepted` is false when the run had ended. */
  async cancel(runId: RunId, by: string, reason: string): Promise<{ runId: RunId; accepted: boolean }> {
    const { ended } = await this.parts.state.postInbox(runId, {
      dedupeKey: 'cancel',
      message: { kind: 'cancel', by, reason },
    });
    return { runId, accepted: !ended };
  }

  /** Wakes a run, a stuck one too. */
  async resume(runId: RunId): Promise<void> {
    await this.parts.state.resume(runId);
  }

  /** Lets a held run go; for one that runs already, nothing. */
  async execute(runId: RunId): Promise<string> {
    const { ended } = await this.parts.state.postInbox(runId, { dedupeKey: 'execute', message: { kind: 'wake' } });
    if (ended) throw new DevmeshError('run_ended', `task ${runId} has ended; orchestrate it again to run it again`);
    return 'running';
  }
}
