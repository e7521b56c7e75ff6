import { codeReviewReview } from '@devmesh/contracts/actions/code-review';
import {
  documentationCheck,
  documentationGenerate,
  documentationReport,
} from '@devmesh/contracts/actions/documentation';
import { Integrated } from '@devmesh/contracts/actions/feature-dev';
import type { EventOf, StoredEvent } from '@devmesh/contracts/event';
import { SEVERITIES, type SeverityCounts } from '@devmesh/contracts/finding';
import type { RunResult, RunView } from '@devmesh/contracts/gateway-api';
import { parseExecutionKey, type ExecutionKey, type StepId, type UnixMs } from '@devmesh/contracts/ids';
import type { JsonObject } from '@devmesh/contracts/json';
import type { Outcome } from '@devmesh/contracts/outcome';
import { runBranch, type StepView } from '@devmesh/contracts/run';
import type { Progress, RunRecord } from '@devmesh/contracts/state-api';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import type { z } from 'zod';

/** What a run's view is folded from. `events` are all of the run's, in order. */
export interface RunHistory {
  readonly record: RunRecord;
  readonly workflow: WorkflowDefinition;
  readonly events: readonly StoredEvent[];
  /** What slow executions say that they are doing now. */
  readonly progress: readonly Progress[];
}

// What the view reads of an output. The rest of it may be of another version than this gateway knows.
const ReviewOutput = codeReviewReview.output.pick({ counts: true, sarif: true });
const DocumentationOutput = documentationCheck.output.pick({ counts: true });
const ReportOutput = documentationReport.output.pick({ report: true });
const IntegratedOutput = Integrated.pick({ repository: true, bundle: true });
const INTEGRATING = new Set(['feature-dev/integrate', 'feature-dev/implement']);

const DOCUMENTING: ReadonlySet<string> = new Set([documentationGenerate.id, documentationCheck.id]);

const SUMMARY_CHARACTERS = 500;

/** A run as people and other software see it. Pure: the same history gives the same view. */
export function runView(history: RunHistory): RunView {
  const view = initialView(history.record, history.workflow);
  const steps = new Map(view.steps.map((step) => [step.id, step]));
  const found: Found = new Map();
  const undos = new Map(history.workflow.steps.flatMap(({ id, undo }) => (undo ? [[id, undo] as const] : [])));
  for (const stored of history.events) {
    if (stored.event.type === 'UndoStarted') undoStarted(view, steps, undos, stored.event);
    else fold(view, steps, found, stored.event);
    view.lastSeq = Math.max(view.lastSeq, stored.seq);
  }
  for (const { key, message } of history.progress) {
    const step = current(steps, key);
    if (step?.status === 'running') step.summary = oneLine(message);
  }
  return view;
}

/** The view as it was after the last of these events: what came later, the record's too, is not known yet. */
export function runViewAt(record: RunRecord, workflow: WorkflowDefinition, events: readonly StoredEvent[]): RunView {
  const last = events.at(-1);
  const then: RunRecord = {
    ...record,
    status: 'running',
    verdict: null,
    reason: null,
    endedAt: null,
    updatedAt: last === undefined ? record.createdAt : time(last.event.at),
    lastSeq: last?.seq ?? 0,
    turnFailures: 0,
    lastTurnError: null,
  };
  return runView({ record: then, workflow, events, progress: [] });
}

/** The view of a run whose detail was removed: what it was to do, and how it ended. */
export function prunedView(record: RunRecord): RunView {
  return initialView(record, { steps: [] });
}

/** The view of a run of which nothing has been told yet. */
export function initialView(record: RunRecord, workflow: Pick<WorkflowDefinition, 'steps'>): RunView {
  return {
    id: record.id,
    workflow: record.workflow,
    task: record.task,
    status: record.status,
    verdict: record.verdict,
    reason: record.reason,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    endedAt: record.endedAt,
    workflowDigest: record.workflowDigest,
    repository: record.repository,
    steps: workflow.steps.map((step) => ({
      id: step.id,
      agent: step.agent,
      action: step.action,
      needs: step.needs,
      ...UNTOUCHED,
      iteration: 1,
    })),
    plan: null,
    findings: null,
    result: null,
    report: null,
    sarif: null,
    costDollars: 0,
    turnFailures: record.turnFailures,
    lastTurnError: record.lastTurnError,
    lastSeq: record.lastSeq,
    ...(record.prunedAt === undefined ? {} : { prunedAt: record.prunedAt }),
  };
}

const UNTOUCHED = {
  status: 'pending',
  attempt: 1,
  startedAt: null,
  endedAt: null,
  summary: null,
  verdict: null,
} as const satisfies Partial<StepView>;

type Steps = Map<StepId, StepView>;
/** Counts of the latest findings, by who found them. */
type Found = Map<'review' | 'documentation', SeverityCounts>;

function fold(view: RunView, steps: Steps, found: Found, event: StoredEvent['event']): void {
  switch (event.type) {
    case 'RunCreated':
      view.plan = event.plan;
      if (event.imported !== undefined) view.imported = event.imported;
      if (event.forkOf !== undefined) view.forkOf = event.forkOf;
      return;
    case 'StepScheduled':
      return scheduled(steps.get(event.step), event);
    case 'StepReassigned': {
      const step = current(steps, event.key);
      if (step !== undefined) step.status = event.instance === null ? 'waiting' : 'running';
      return;
    }
    case 'StepCompleted':
      return completed(view, steps, found, event);
    case 'StepResolved':
      return change(steps, event, { summary: summaryOf(event.outcome), endedAt: time(event.at) });
    case 'FallbackUsed':
      return fellBack(view, steps, found, event);
    case 'ApprovalDecided':
      return decided(steps, event, `${verdictWord(event.outcome)} by ${event.by}`);
    case 'ApprovalExpired':
      return decided(steps, event, 'nobody decided in time');
    case 'FanOutStarted':
      return fannedOut(view, steps, event);
    case 'ApprovalRequested':
      return change(steps, event, {
        status: 'awaiting',
        startedAt: time(event.at),
        summary: oneLine(event.approval.title),
        approvalId: event.approval.id,
      });
    case 'StepsInherited':
      return inherited(view, steps, found, event);
    case 'RunPaused':
      view.status = 'paused';
      return;
    case 'RunResumed':
      view.status = 'running';
      return;
    case 'RetryScheduled':
      return change(steps, event, { status: 'retrying', attempt: event.attempt, endedAt: null });
    case 'StepSettled':
      return change(steps, event, { status: event.as, verdict: event.verdict, endedAt: time(event.at) });
    case 'StepSkipped':
      return change(steps, event, { status: 'skipped', summary: oneLine(event.because), endedAt: time(event.at) });
    case 'StepCancelled':
      return change(steps, event, { status: 'cancelled', endedAt: time(event.at) });
    case 'ReworkStarted':
      return reworked(view, steps, event);
    case 'RunEnded':
      view.status = 'ended';
      view.verdict = event.verdict;
      view.reason = event.reason;
      view.endedAt = time(event.at);
      return;
    case 'BranchTaken':
    case 'NotificationRecorded':
    case 'ApprovalReminded':
    case 'RunTimedOut':
    case 'UndoStarted':
    case 'CancelRequested':
    case 'ExecutionStopped':
      return;
    default:
      event satisfies never;
  }
}

function scheduled(step: StepView | undefined, event: EventOf<'StepScheduled'>): void {
  if (step === undefined) return;
  // A retry belongs to its iteration: the time of a step counts from the iteration's first attempt.
  const startedAt = step.iteration === event.iteration ? step.startedAt : null;
  Object.assign(step, {
    ...UNTOUCHED,
    status: event.instance === null ? 'waiting' : 'running',
    iteration: event.iteration,
    attempt: event.attempt,
    startedAt: startedAt ?? time(event.at),
  } satisfies Partial<StepView>);
}

function completed(view: RunView, steps: Steps, found: Found, event: EventOf<'StepCompleted'>): void {
  const { outcome } = event;
  if (outcome.kind === 'succeeded') {
    view.costDollars += outcome.usage?.costDollars ?? 0;
    const action = steps.get(event.step)?.action;
    if (action !== undefined) takeOutput(view, found, action, outcome.output);
  }
  const step = current(steps, event.key);
  if (step === undefined) return;
  step.summary = summaryOf(outcome);
  step.endedAt = time(event.at);
}

function fellBack(view: RunView, steps: Steps, found: Found, event: EventOf<'FallbackUsed'>): void {
  const step = steps.get(event.step);
  if (step?.iteration !== event.iteration) return;
  takeOutput(view, found, step.action, event.output);
  step.summary = oneLine(fallbackText(event.because));
}

function fallbackText(because: string): string {
  return `fell back on its declared output: ${because}`;
}

function reworked(view: RunView, steps: Steps, event: EventOf<'ReworkStarted'>): void {
  for (const { step: id, iteration } of event.reset) {
    removeItems(view, steps, id);
    const step = steps.get(id);
    if (step === undefined) continue;
    const summary = id === event.target ? `sent back by ${event.by}, round ${event.round}` : null;
    delete step.approvalId;
    Object.assign(step, { ...UNTOUCHED, iteration, summary } satisfies Partial<StepView>);
  }
}

/** Puts steps that came about behind the one that they came from. */
function insert(view: RunView, steps: Steps, owner: StepId, made: readonly StepView[]): void {
  const at = view.steps.findIndex((step) => step.id === owner);
  if (at < 0) return;
  view.steps.splice(at + 1, 0, ...made);
  for (const step of made) steps.set(step.id, step);
}

function removeItems(view: RunView, steps: Steps, owner: StepId): void {
  const isItem = (id: StepId) => id.startsWith(`${owner}.`) && /^\d+(\.undo)?$/.test(id.slice(owner.length + 1));
  for (const id of steps.keys()) if (isItem(id)) steps.delete(id);
  view.steps = view.steps.filter((step) => !isItem(step.id));
}

function fannedOut(view: RunView, steps: Steps, event: EventOf<'FanOutStarted'>): void {
  const owner = steps.get(event.step);
  if (owner === undefined) return;
  const summary = `${event.items.length} ${event.items.length === 1 ? 'item' : 'items'}`;
  Object.assign(owner, { status: 'fanned', startedAt: time(event.at), summary } satisfies Partial<StepView>);
  const { agent, action } = owner;
  const items = event.items.map((_item, index): StepView => {
    const id = `${event.step}.${index}`;
    return { id, agent, action, needs: [event.step], ...UNTOUCHED, iteration: event.iteration };
  });
  insert(view, steps, event.step, items);
}

function undoStarted(
  view: RunView,
  steps: Steps,
  undos: ReadonlyMap<StepId, { agent: string; action: string }>,
  event: EventOf<'UndoStarted'>,
): void {
  const known = steps.get(event.undo);
  const undo = undos.get(event.step) ?? undos.get(event.step.slice(0, event.step.lastIndexOf('.')));
  const { iteration } = event;
  if (known) Object.assign(known, { ...UNTOUCHED, iteration } satisfies Partial<StepView>);
  else if (undo) {
    const { agent, action } = undo;
    const owner = steps.has(event.step) ? event.step : event.step.slice(0, event.step.lastIndexOf('.'));
    insert(view, steps, owner, [{ id: event.undo, agent, action, needs: [owner], ...UNTOUCHED, iteration }]);
  }
}

function verdictWord(outcome: Outcome): string {
  if (outcome.kind !== 'succeeded') return 'said not to be done';
  return outcome.verdict ?? 'confirmed';
}

function decided(steps: Steps, event: { step: StepId; iteration: number; at: UnixMs }, summary: string): void {
  change(steps, event, { summary: oneLine(summary), endedAt: time(event.at) });
  delete steps.get(event.step)?.approvalId;
}

/** What a fork took over from the run that it comes from. */
function inherited(view: RunView, steps: Steps, found: Found, event: EventOf<'StepsInherited'>): void {
  for (const { step: id, iteration, attempt, as, outcome, fallback, items, startedAt, endedAt } of event.steps) {
    const step = steps.get(id);
    if (step === undefined) continue;
    if (items !== null) fannedOut(view, steps, { type: 'FanOutStarted', at: event.at, step: id, iteration, items });
    if (outcome?.kind === 'succeeded') takeOutput(view, found, step.action, outcome.output);
    const told = outcome === null ? null : summaryOf(outcome);
    const summary = fallback === undefined ? told : oneLine(fallbackText(fallback));
    Object.assign(step, {
      status: as,
      iteration,
      attempt,
      summary,
      verdict: outcome?.kind === 'succeeded' ? (outcome.verdict ?? null) : null,
      startedAt: startedAt === null ? null : time(startedAt),
      endedAt: endedAt === null ? null : time(endedAt),
    } satisfies Partial<StepView>);
  }
}

function allCounts(found: Found): SeverityCounts {
  const all: SeverityCounts = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };
  for (const counts of found.values()) for (const severity of SEVERITIES) all[severity] += counts[severity];
  return all;
}

/** Takes what the view shows of an output; an output that reads otherwise than this version expects is passed over. */
function takeOutput(view: RunView, found: Found, action: string, output: JsonObject): void {
  if (action === codeReviewReview.id) {
    const review = ReviewOutput.safeParse(output);
    if (!review.success) return;
    view.findings = allCounts(found.set('review', review.data.counts));
    view.sarif = review.data.sarif.digest;
  } else if (DOCUMENTING.has(action)) {
    const documentation = DocumentationOutput.safeParse(output);
    if (documentation.success) view.findings = allCounts(found.set('documentation', documentation.data.counts));
  } else if (action === documentationReport.id) {
    const report = ReportOutput.safeParse(output);
    if (report.success) view.report = report.data.report.digest;
  } else if (INTEGRATING.has(action)) {
    const integrated = IntegratedOutput.safeParse(output);
    if (integrated.success) view.result = resultOf(view.id, integrated.data) ?? view.result;
  }
}

function resultOf(runId: string, { repository, bundle }: z.infer<typeof IntegratedOutput>): RunResult | null {
  if (bundle === null) return null;
  return { branch: runBranch(runId), commit: repository.commit, base: repository.base, bundle: bundle.digest };
}

/** The step of a key, if the key is of the step's current iteration; what is superseded changes nothing. */
function current(steps: Steps, key: ExecutionKey): StepView | undefined {
  const { step: id, iteration } = parseExecutionKey(key);
  const step = steps.get(id);
  return step?.iteration === iteration ? step : undefined;
}

function change(steps: Steps, event: { step: StepId; iteration: number }, to: Partial<StepView>): void {
  const step = steps.get(event.step);
  if (step?.iteration === event.iteration) Object.assign(step, to);
}

function summaryOf(outcome: Outcome): string | null {
  switch (outcome.kind) {
    case 'succeeded': {
      const { summary } = outcome.output;
      return typeof summary === 'string' && summary !== '' ? oneLine(summary) : null;
    }
    case 'failed':
      return oneLine(`${outcome.error.code}: ${outcome.error.message}`);
    case 'timed_out':
      return 'took longer than its time limit';
    case 'lost':
      return oneLine(`lost: ${outcome.message}`);
    case 'cancelled':
      return 'cancelled by its agent';
    default:
      return outcome satisfies never;
  }
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > SUMMARY_CHARACTERS ? `${line.slice(0, SUMMARY_CHARACTERS - 1)}…` : line;
}

function time(at: UnixMs): string {
  return new Date(at).toISOString();
}
