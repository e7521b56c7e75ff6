import type { RunEvent, StoredEvent } from '@devmesh/contracts/event';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { cut, duration, padEnd, padStart, plain } from '../output/text.js';
import { theme } from '../output/theme.js';
import { connect } from './mesh.js';
import { resolveRun } from './runs.js';

/** What an event says, in one line and without its own name. */
export function eventText(event: RunEvent): string {
  const round = (iteration: number, attempt?: number): string =>
    [
      ...(iteration > 1 ? [`round ${iteration}`] : []),
      ...(attempt !== undefined && attempt > 1 ? [`attempt ${attempt}`] : []),
    ].join(', ');
  const about = (step: string, ...rest: readonly string[]): string =>
    [step, ...rest.filter((part) => part !== '')].join(' · ');
  switch (event.type) {
    case 'RunCreated':
      return about(event.workflow.name, event.repository?.origin ?? '', event.task);
    case 'StepScheduled':
      return about(
        event.step,
        event.action,
        round(event.iteration, event.attempt),
        event.instance === null ? 'no instance yet' : `at ${event.instance}`,
      );
    case 'StepReassigned':
      return about(event.step, event.instance === null ? 'no instance' : `now at ${event.instance}`);
    case 'StepCompleted': {
      const { outcome } = event;
      const detail =
        outcome.kind === 'failed'
          ? `${outcome.error.code}: ${outcome.error.message}`
          : outcome.kind === 'lost'
            ? outcome.message
            : outcome.kind === 'succeeded'
              ? (outcome.verdict ?? '')
              : '';
      return about(event.step, outcome.kind, detail);
    }
    case 'StepResolved':
      return about(event.step, event.outcome.kind, event.outcome.kind === 'failed' ? event.outcome.error.message : '');
    case 'FallbackUsed':
      return about(event.step, 'fell back on its declared output', event.because);
    case 'FanOutStarted':
      return about(event.step, `${event.items.length} items`);
    case 'ApprovalRequested':
      return about(event.step, event.approval.title, `approval ${event.approval.id}`);
    case 'ApprovalDecided':
      return about(event.step, `approval ${event.approvalId}`, `by ${event.by}`);
    case 'ApprovalExpired':
      return about(event.step, `approval ${event.approvalId}`, 'nobody decided in time');
    case 'ApprovalReminded':
      return about(event.step, `approval ${event.approvalId}`, event.escalated ? 'others are asked too' : 'reminded');
    case 'RunPaused':
      return about(`by ${event.by}`, event.reason);
    case 'RunResumed':
      return `by ${event.by}`;
    case 'RunTimedOut':
      return '';
    case 'StepsInherited':
      return event.steps.map(({ step }) => step).join(', ');
    case 'UndoStarted':
      return about(event.step, round(event.iteration), `by ${event.undo}`);
    case 'RetryScheduled':
      return about(event.step, `attempt ${event.attempt} in ${duration(event.notBefore - event.at)}`);
    case 'BranchTaken':
      return about(
        event.from,
        `on ${event.on}`,
        'target' in event.branch ? `${event.branch.kind} ${event.branch.target}` : event.branch.kind,
      );
    case 'StepSettled':
      return about(event.step, event.as, event.verdict ?? '', round(event.iteration));
    case 'StepSkipped':
      return about(event.step, event.because);
    case 'ReworkStarted':
      return about(
        event.by,
        `sends work back to ${event.target}`,
        `for the ${event.round === 1 ? 'first' : `${event.round}.`} time`,
        `again: ${event.reset.map(({ step }) => step).join(', ')}`,
      );
    case 'NotificationRecorded':
      return about(event.step, event.message);
    case 'CancelRequested':
      return about(`by ${event.by}`, event.reason);
    case 'StepCancelled':
      return about(event.step, round(event.iteration));
    case 'ExecutionStopped':
      return event.key;
    case 'RunEnded':
      return about(event.verdict, event.reason);
  }
}

export interface EventsOptions {
  readonly follow?: boolean;
  readonly json?: boolean;
}

export async function events(context: CliContext, given: string, options: EventsOptions): Promise<ExitCode> {
  const { out, interrupted } = context;
  const { api } = await connect(context);
  const id = await resolveRun(api, given);
  const run = await api.run(id);
  const paint = theme(out.color);
  const began = Date.parse(run.createdAt);
  const show = ({ seq, event }: StoredEvent): void => {
    const left = `${padStart(String(seq), 4)}  ${padStart(duration(event.at - began), 9)}  ${padEnd(event.type, 20)}  `;
    out.write(
      `${paint.dim(left.slice(0, 17))}${left.slice(17)}${cut(plain(eventText(event)), Math.max(20, out.terminal ? out.columns - left.length : 4000))}\n`,
    );
  };
  const heard: StoredEvent[] = [];
  const enough = new AbortController();
  // Without --follow: what there is now. The stream has it all at once, so its last known number is where to stop.
  for await (const signal of api.watch(id, 0, AbortSignal.any([interrupted, enough.signal]))) {
    if (signal.kind !== 'event') continue;
    if (options.json === true && options.follow === true) out.write(`${JSON.stringify(signal.event)}\n`);
    else if (options.json === true) heard.push(signal.event);
    else show(signal.event);
    if (options.follow !== true && signal.event.seq >= run.lastSeq) break;
  }
  enough.abort();
  if (options.json === true && options.follow !== true) out.write(`${JSON.stringify({ run: id, events: heard })}\n`);
  return EXIT.passed;
}
