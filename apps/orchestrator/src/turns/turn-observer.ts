import type { EventOf, RunEvent } from '@devmesh/contracts/event';
import type { RunId } from '@devmesh/contracts/ids';
import type { Graph } from '@devmesh/workflow/graph';
import type { RunState } from '@devmesh/workflow/state';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import type { Metrics } from '@devmesh/service-kit/metrics/metrics';
import { recordRunSpan, recordStepSpan } from '@devmesh/service-kit/tracing/engine-span';

/** Turns committed events into log lines, metrics and spans. */
export class TurnObserver {
  private readonly calls;

  constructor(
    private readonly logger: Logger,
    metrics: Metrics,
  ) {
    this.calls = metrics.counter('agent_calls_total');
  }

  readonly onCommitted = (
    runId: RunId,
    graph: Graph,
    before: RunState,
    state: RunState,
    events: readonly RunEvent[],
  ): void => {
    for (const event of events) {
      if (event.type === 'StepCompleted') this.completed(runId, graph, before, event);
      else if (event.type === 'RunEnded') this.ended(runId, graph, state, event);
      else if (event.type === 'NotificationRecorded')
        this.logger.warn(event.message, { runId, step: event.step, notification: true });
      else if (event.type === 'ReworkStarted') {
        this.logger.info('work is sent back', { runId, step: event.by, target: event.target, round: event.round });
      }
    }
  };

  private completed(runId: RunId, graph: Graph, before: RunState, event: EventOf<'StepCompleted'>): void {
    const { step, key, outcome, at } = event;
    const definition = graph.steps.get(step);
    const agent = definition?.agent ?? 'unknown';
    this.calls.inc({ agent, status: outcome.kind });
    const error =
      outcome.kind === 'failed' ? outcome.error.message : outcome.kind === 'succeeded' ? undefined : outcome.kind;
    const startedAt = before.steps[step]?.startedAt ?? at;
    recordStepSpan({
      runId,
      key,
      step,
      action: definition?.action ?? 'unknown',
      startedAt,
      endedAt: at,
      ...(error === undefined ? {} : { error }),
    });
    this.logger.info('step completed', {
      runId,
      step,
      key,
      outcome: outcome.kind,
      ...(error === undefined ? {} : { reason: error }),
    });
  }

  private ended(runId: RunId, graph: Graph, state: RunState, event: EventOf<'RunEnded'>): void {
    const { verdict, reason, at } = event;
    recordRunSpan({
      runId,
      workflow: graph.workflow.name,
      traceparent: state.traceparent,
      startedAt: state.createdAt,
      endedAt: at,
      ...(verdict === 'passed' ? {} : { error: reason }),
    });
    this.logger.info('run ended', { runId, verdict, reason, elapsedMs: at - state.createdAt });
  }
}
