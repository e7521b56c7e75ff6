import type { RunEvent } from '@devmesh/contracts/event';
import type { AppendOp } from '@devmesh/contracts/state-api';
import type { RunState } from '@devmesh/workflow/state';

type Facts = Pick<AppendOp, 'approvals' | 'closedApprovals' | 'barred' | 'paused' | 'ifRead'>;

function openApprovals(state: RunState): Map<string, string> {
  const open = Object.entries(state.steps).flatMap(([step, { approval }]) =>
    approval ? [[approval.id, step] as const] : [],
  );
  return new Map(open);
}

/** Asked and over in one append counts as asked and closed: a person may have to see that it was asked. */
function approvalFacts(before: RunState, after: RunState, events: readonly RunEvent[]): Facts {
  const asked = events.flatMap((event) => (event.type === 'ApprovalRequested' ? [event] : []));
  const known = [...openApprovals(before).keys(), ...asked.map(({ approval }) => approval.id)];
  const open = openApprovals(after);
  const decided = new Set(events.flatMap((event) => (event.type === 'ApprovalDecided' ? [event.approvalId] : [])));
  const expired = new Set(events.flatMap((event) => (event.type === 'ApprovalExpired' ? [event.approvalId] : [])));
  const escalated = events.flatMap((event) =>
    event.type === 'ApprovalReminded' && event.escalated && open.has(event.approvalId) ? [event.approvalId] : [],
  );
  const closed = known
    .filter((id) => !open.has(id) && !decided.has(id))
    .map((id) => ({ id, status: expired.has(id) ? ('expired' as const) : ('closed' as const) }));
  const changes = [...closed, ...escalated.map((id) => ({ id, status: 'escalated' as const }))];
  return {
    ...(asked.length > 0
      ? { approvals: asked.map(({ step, iteration, approval }) => ({ step, iteration, request: approval })) }
      : {}),
    ...(changes.length > 0 ? { closedApprovals: changes } : {}),
    // A verdict that somebody was told counts comes before the clock.
    ...(expired.size > 0 ? { ifRead: true } : {}),
  };
}

/**
 * Executions that count no longer: superseded, cancelled, or ended otherwise than well. Of these an instance that nobody could reach may be
 * at work still; what one does beside a success is on record by then.
 */
function barredKeys(before: RunState, after: RunState, events: readonly RunEvent[]): string[] {
  const stopping = new Set(before.stopping.map(({ key }) => key));
  const stopped = after.stopping.map(({ key }) => key).filter((key) => !stopping.has(key));
  const failed = events.flatMap((event) =>
    event.type === 'StepCompleted' && event.outcome.kind !== 'succeeded' ? [event.key] : [],
  );
  return [...stopped, ...failed];
}

/**
 * What an append says beside its events, so that others than the run's owner can be answered from rows: approvals that open and
 * close, executions that are barred from acting, whether the run is paused. Empty for most appends.
 */
export function appendedFacts(before: RunState, after: RunState, events: readonly RunEvent[]): Facts {
  if (events.length === 0) return {};
  const barred = barredKeys(before, after, events);
  const isPaused = after.paused !== null;
  return {
    ...approvalFacts(before, after, events),
    ...(barred.length > 0 ? { barred } : {}),
    ...(isPaused === (before.paused !== null) ? {} : { paused: isPaused }),
  };
}
