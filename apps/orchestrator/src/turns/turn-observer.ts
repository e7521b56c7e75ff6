import type { EventOf, RunEvent } from '@devmesh/contracts/event';
import { parseExecutionKey, type ExecutionKey, type RunId, type UnixMs } from '@devmesh/contracts/ids';
import { Outcome } from '@devmesh/contracts/outcome';
import { SERVICE_NAMES, SERVICES } from '@devmesh/contracts/services';
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
    // A series that begins at its first failure has no increase then: an alert would miss it.
    for (const agent of SERVICE_NAMES.filter((name) => SERVICES[name].agent))
      for (const { shape } of Outcome.options) this.calls.inc({ agent, status: shape.kind.value }, 0);
  }

  readonly onCommitted = (
    runId: RunId,
    graph: Graph,
    before: RunState,
    state: RunState,
    events: readonly RunEvent[],
  ): void => {
    const over = new Set<ExecutionKey>();
    for (const event of events) {
      if (event.type === 'StepCompleted') {
        over.add(event.key);
        this.completed(runId, graph, before, event);
      } else if (event.type === 'RunEnded') this.ended(runId, graph, state, event);
      else if (event.type === 'NotificationRecorded')
        this.logger.warn(event.message, { runId, step: event.step, notification: true });
      else if (event.type === 'StepCancelled') {
        const key = before.steps[event.step]?.key ?? null;
        if (key !== null && !over.has(key)) this.stepSpan(graph, before, key, event.at, 'cancelled');
      } else if (event.type === 'ReworkStarted') {
        for (const { key } of event.superseded) this.stepSpan(graph, before, key, event.at, 'superseded');
        this.logger.info('work is sent back', { runId, step: event.by, target: event.target, round: event.round });
      }
    }
  };

  private completed(runId: RunId, graph: Graph, before: RunState, event: EventOf<'StepCompleted'>): void {
    const { step, key, outcome, at } = event;
    this.calls.inc({ agent: graph.steps.get(step)?.agent ?? 'unknown', status: outcome.kind });
    const error =
      outcome.kind === 'failed' ? outcome.error.message : outcome.kind === 'succeeded' ? undefined : outcome.kind;
    this.stepSpan(graph, before, key, at, error);
    this.logger.info('step completed', {
      runId,
      step,
      key,
      outcome: outcome.kind,
      ...(error === undefined ? {} : { reason: error }),
    });
  }

  /** One for every execution that an agent may have begun, whatever became of it: its spans there are children of this one. */
  private stepSpan(graph: Graph, before: RunState, key: ExecutionKey, at: UnixMs, error: string | undefined): void {
    const { runId, step } = parseExecutionKey(key);
    recordStepSpan({
      runId,
      key,
      step,
      action: graph.steps.get(step)?.action ?? 'unknown',
      startedAt: before.steps[step]?.startedAt ?? at,
      endedAt: at,
      ...(error === undefined ? {} : { error }),
    });
  }

  private ended(runId: RunId, graph: Graph, state: RunState, event: EventOf<'RunEnded'>): void {
    const { verdict, reason, at } = event;
    recordRunSpan({
      runId,
      workflow: graph.workflow.name,
      traceparent: state.traceparent,
      forkOf: state.forkOf?.runId ?? null,
      startedAt: state.createdAt,
      endedAt: at,
      ...(verdict === 'passed' ? {} : { error: reason }),
    });
    this.logger.info('run ended', { runId, verdict, reason, elapsedMs: at - state.createdAt });
  }
}
