import type { RunEvent, StoredEvent } from '@devmesh/contracts/event';
import { executionKey, type StepId } from '@devmesh/contracts/ids';
import type { JsonObject } from '@devmesh/contracts/json';
import type { RunRecord } from '@devmesh/contracts/state-api';
import { DEFAULT_RETRY, StepDefinition, WorkflowDefinition } from '@devmesh/contracts/workflow';

// A small run for tests: its id says 2023-11-14T22:13:20.000Z.
export const RUN = '018bcfe5-6800-7000-8000-000000000001';
export const OTHER_RUN = '018bcfe5-6800-7000-8000-000000000002';
export const START = Date.parse('2023-11-14T22:13:20.000Z');
export const COMMIT = 'c'.repeat(40);
export const BASE = 'b'.repeat(40);
export const WORKFLOW_DIGEST = digest(1);

/** A digest that is told apart by its number. */
export function digest(n: number): string {
  return n.toString(16).padStart(64, '0');
}

/** When second `n` of the run was, as events and as views write it. */
export function at(n: number): number {
  return START + n * 1000;
}
export function time(n: number): string {
  return new Date(at(n)).toISOString();
}

export function artifact(n: number, name = `file-${n}`): JsonObject {
  return { digest: digest(n), name, mediaType: 'application/json', size: 10 };
}

function step(id: StepId, action: string, needs: StepId[] = []): StepDefinition {
  return StepDefinition.parse({
    id,
    agent: action.split('/')[0] ?? '',
    action,
    with: {},
    needs,
    always: false,
    gate: false,
    timeoutMs: 60_000,
    retry: DEFAULT_RETRY,
    on: { success: [], failure: [], approval: [], rejection: [] },
  });
}

export const WORKFLOW: WorkflowDefinition = WorkflowDefinition.parse({
  name: 'deliver',
  version: 1,
  description: 'For tests.',
  steps: [
    step('implement', 'feature-dev/implement'),
    step('review', 'code-review/review', ['implement']),
    step('report', 'documentation/report', ['review']),
  ],
});

export function record(over: Partial<RunRecord> = {}): RunRecord {
  return {
    id: RUN,
    projectId: 'alpha',
    workflow: 'deliver',
    workflowDigest: WORKFLOW_DIGEST,
    task: 'make it better',
    status: 'running',
    verdict: null,
    reason: null,
    createdAt: time(0),
    updatedAt: time(0),
    endedAt: null,
    repository: null,
    lastSeq: 0,
    turnFailures: 0,
    lastTurnError: null,
    ...over,
  };
}

/** Numbers events as the database does. */
export function stored(...events: RunEvent[]): StoredEvent[] {
  return events.map((event, i) => ({ seq: i + 1, event }));
}

export function key(id: StepId, iteration = 1, attempt = 1): string {
  return executionKey(RUN, id, iteration, attempt);
}

export const happened = {
  created: (plan: { step: string; because: string }[] | null = null): RunEvent => ({
    type: 'RunCreated',
    at: at(0),
    workflow: { name: 'deliver', digest: WORKFLOW_DIGEST },
    task: 'make it better',
    repository: null,
    requestedBy: 'ci',
    plan,
    traceparent: null,
  }),
  scheduled: (n: number, id: StepId, iteration = 1, attempt = 1, instance: string | null = 'one'): RunEvent => ({
    type: 'StepScheduled',
    at: at(n),
    step: id,
    iteration,
    attempt,
    key: key(id, iteration, attempt),
    action: WORKFLOW.steps.find((s) => s.id === id)?.action ?? '',
    instance,
    input: {},
    rework: null,
    deadlineAt: at(n + 60),
  }),
  reassigned: (n: number, id: StepId, instance: string | null, iteration = 1): RunEvent => ({
    type: 'StepReassigned',
    at: at(n),
    step: id,
    key: key(id, iteration),
    instance,
  }),
  succeeded: (n: number, id: StepId, output: JsonObject = {}, iteration = 1, costDollars?: number): RunEvent => ({
    type: 'StepCompleted',
    at: at(n),
    step: id,
    key: key(id, iteration),
    outcome: {
      kind: 'succeeded',
      output,
      ...(costDollars === undefined ? {} : { usage: { inputTokens: 1, outputTokens: 1, costDollars } }),
    },
  }),
  failed: (n: number, id: StepId, message: string, attempt = 1): RunEvent => ({
    type: 'StepCompleted',
    at: at(n),
    step: id,
    key: key(id, 1, attempt),
    outcome: { kind: 'failed', error: { code: 'action_failed', message, retryable: true } },
  }),
  settled: (n: number, id: StepId, as: 'succeeded' | 'failed' | 'rejected', iteration = 1): RunEvent => ({
    type: 'StepSettled',
    at: at(n),
    step: id,
    iteration,
    as,
    verdict: as === 'rejected' ? 'rejected' : null,
  }),
  reworked: (n: number, iteration: number, round: number): RunEvent => ({
    type: 'ReworkStarted',
    at: at(n),
    by: 'review',
    on: 'rejection',
    round,
    target: 'implement',
    reset: [
      { step: 'implement', iteration },
      { step: 'review', iteration },
      { step: 'report', iteration },
    ],
    superseded: [],
    note: { from: 'review', output: {} },
  }),
  ended: (n: number, verdict: 'passed' | 'rejected' | 'failed' | 'cancelled', reason = 'because'): RunEvent => ({
    type: 'RunEnded',
    at: at(n),
    verdict,
    reason,
  }),
} as const;

export function reviewOutput(high: number, sarif: number): JsonObject {
  return {
    verdict: high > 0 ? 'rejected' : 'approved',
    summary: `${high} high`,
    counts: { critical: 0, high, medium: 0, low: 0, info: 0 },
    sarif: artifact(sarif),
  };
}

export function integratedOutput(bundle: number | null): JsonObject {
  return {
    repository: { bundles: [digest(90)], commit: COMMIT, base: BASE, shallow: [] },
    bundle: bundle === null ? null : artifact(bundle),
    commits: [],
    summary: 'two commits',
  };
}
