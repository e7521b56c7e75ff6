import type { ApprovalRef, ApprovalRequest } from '@devmesh/contracts/approval';
import { canonicalJson } from '@devmesh/contracts/canonical-json';
import type { EventOf, RunEvent } from '@devmesh/contracts/event';
import type { Digest, StepId, UnixMs } from '@devmesh/contracts/ids';
import type { Json, JsonObject } from '@devmesh/contracts/json';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { StepDefinition } from '@devmesh/contracts/workflow';
import { createHash } from 'node:crypto';
import type { Graph } from './graph.js';
import { resolveInput } from './references.js';
import type { RunState, StepState } from './state.js';

/** For how long a person is asked whether a lost act was done, ms. */
const LOST_DEADLINE_MS = 3 * 24 * 3600_000;

function sha256(text: string): Digest {
  return createHash('sha256').update(text).digest('hex');
}

/** The same for the same request, so that a decision that is made again asks once: a UUID (version 8) from its name. */
function approvalId(name: string): string {
  const hex = sha256(name);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** What a verdict binds: see ApprovalRequest. */
function subjectOf(graph: Graph, state: RunState, of: StepId | null, expiresAt: UnixMs): JsonObject {
  const guarded = of === null ? undefined : graph.steps.get(of);
  const repository = state.repository
    ? { origin: state.repository.origin, ref: state.repository.ref as unknown as Json }
    : null;
  return {
    run: state.runId,
    workflow: { name: graph.workflow.name, digest: state.workflowDigest },
    task: state.task.slice(0, 2000),
    repository,
    step: of,
    action: guarded?.action ?? null,
    input: of === null || !guarded ? null : resolveInput(graph, state, of),
    policy: null,
    expiresAt,
  };
}

function hashOf(subject: JsonObject): Digest {
  return sha256(canonicalJson(subject));
}

/** E17: an approval step asks. */
export function requestApproval(
  graph: Graph,
  state: RunState,
  definition: StepDefinition,
  step: StepState,
  now: UnixMs,
): EventOf<'ApprovalRequested'> | undefined {
  const { id, approval: spec } = definition;
  if (!spec) return undefined;
  const expiresAt = now + spec.deadlineMs;
  const subject = subjectOf(graph, state, spec.of, expiresAt);
  const approval: ApprovalRequest = {
    id: approvalId(`${state.runId}/${id}/${step.iteration}`),
    kind: 'consent',
    title: spec.title,
    subject,
    hash: hashOf(subject),
    expiresAt,
    remindAt: spec.remindMs === null ? null : now + spec.remindMs,
    escalateAt: spec.escalateMs === null ? null : now + spec.escalateMs,
    escalateTo: spec.escalateTo,
  };
  return { type: 'ApprovalRequested', at: now, step: id, iteration: step.iteration, approval };
}

/** E17: nobody knows whether an act was done, and its step says `on_lost: ask`. */
export function askAboutLost(
  state: RunState,
  definition: StepDefinition,
  step: StepState,
  message: string,
  now: UnixMs,
): EventOf<'ApprovalRequested'> {
  const { id, action } = definition;
  const expiresAt = now + LOST_DEADLINE_MS;
  const execution = step.key ?? `${state.runId}/${id}/${step.iteration}/${step.attempt}`;
  const subject: JsonObject = { run: state.runId, step: id, action, execution, message, expiresAt };
  const approval: ApprovalRequest = {
    id: approvalId(`${execution}/lost`),
    kind: 'lost',
    title: `Was ${id} (${action}) done? Its agent died while it was acting`,
    subject,
    hash: hashOf(subject),
    expiresAt,
    remindAt: now + LOST_DEADLINE_MS / 3,
    escalateAt: null,
    escalateTo: [],
  };
  return { type: 'ApprovalRequested', at: now, step: id, iteration: step.iteration, approval };
}

export interface VerdictGiven {
  readonly approvalId: string;
  readonly verdict: 'approved' | 'rejected';
  readonly by: string;
  readonly comment: string;
}

/** What a verdict on this request comes to. */
export function outcomeOfVerdict(request: ApprovalRequest, given: VerdictGiven): Outcome {
  const { verdict, by, comment } = given;
  if (request.kind === 'consent') {
    const { id, hash, expiresAt } = request;
    return { kind: 'succeeded', verdict, output: { approvalId: id, hash, expiresAt, verdict, by, comment } };
  }
  if (verdict === 'approved') return { kind: 'succeeded', output: { confirmedBy: by, comment } };
  const message = `${by} says that it was not done${comment === '' ? '' : `: ${comment}`}`;
  return { kind: 'failed', error: { code: 'action_failed', message, retryable: false } };
}

function outcomeOfExpiry(definition: StepDefinition, request: ApprovalRequest): Outcome {
  const message = `nobody decided on "${request.title}" in time`;
  if (request.kind === 'consent' && definition.approval?.onExpiry === 'reject')
    return { kind: 'succeeded', verdict: 'rejected', output: { approvalId: request.id, verdict: 'rejected', message } };
  return { kind: 'failed', error: { code: 'approval_expired', message, retryable: false } };
}

/** What time does to an approval that waits: reminder, escalation, expiry. */
export function timePasses(definition: StepDefinition, step: StepState, now: UnixMs): RunEvent[] {
  const request = step.approval;
  if (!request) return [];
  const at = { at: now, step: definition.id, iteration: step.iteration, approvalId: request.id };
  if (request.expiresAt <= now)
    return [{ type: 'ApprovalExpired', ...at, outcome: outcomeOfExpiry(definition, request) }];
  const escalated = request.escalateAt !== null && request.escalateAt <= now;
  if (!escalated && (request.remindAt === null || request.remindAt > now)) return [];
  const whom = escalated ? ` now asks ${request.escalateTo.join(', ') || 'everybody'}` : ' still waits for a decision';
  return [
    { type: 'ApprovalReminded', ...at, escalated },
    { type: 'NotificationRecorded', at: now, step: definition.id, message: `"${request.title}"${whom}` },
  ];
}

/**
 * The consent that a guarded step acts on, when what it would do is still what the person saw; else why not. Undefined for a
 * step that nothing guards.
 */
export function consentFor(
  graph: Graph,
  state: RunState,
  definition: StepDefinition,
): { readonly consent: ApprovalRef } | { readonly stale: string } | undefined {
  if (definition.guardedBy === null) return undefined;
  const outcome = state.steps[definition.guardedBy]?.outcome;
  const output = outcome?.kind === 'succeeded' ? outcome.output : {};
  const { approvalId: id, hash, expiresAt } = output;
  if (typeof id !== 'string' || typeof hash !== 'string' || typeof expiresAt !== 'number')
    return { stale: `${definition.id} wants the approval ${definition.guardedBy}, which was not given` };
  const now = hashOf(subjectOf(graph, state, definition.id, expiresAt));
  return now === hash
    ? { consent: { id, hash } }
    : { stale: `what ${definition.id} would do has changed since ${definition.guardedBy} was approved; ask again` };
}
