import type { RunEvent } from '@devmesh/contracts/event';
import type { AgentName, InstanceId, RunId } from '@devmesh/contracts/ids';
import { parseExecutionKey } from '@devmesh/contracts/ids';
import type { Graph } from '@devmesh/workflow/graph';
import type { BodyRun } from './witness.js';

interface Evidence {
  readonly graph: Graph;
  readonly runs: readonly {
    readonly id: RunId;
    readonly events: readonly RunEvent[];
    readonly ended: boolean;
    readonly cancelled: boolean;
  }[];
  /** `at` of bodies, commits and deaths count on one scale: their order. */
  readonly bodies: readonly BodyRun[];
  readonly commits: readonly { readonly key: string; readonly at: number }[];
  readonly deaths: ReadonlyMap<InstanceId, { readonly agent: AgentName; readonly at: number }>;
}

/** Every promise of docs/engine.md that the evidence breaks, in words. */
export function violations({ graph, runs, bodies, commits, deaths }: Evidence): string[] {
  const found: string[] = [];
  for (const run of runs) {
    if (!run.ended) found.push(`run ${run.id} did not end`);
    found.push(...needProblems(graph, run.events));
    if (
      run.cancelled &&
      run.ended &&
      !run.events.some((event) => event.type === 'RunEnded' && event.verdict === 'cancelled')
    ) {
      const accepted = run.events.some((event) => event.type === 'CancelRequested');
      if (accepted) found.push(`run ${run.id} was cancelled and ended otherwise`);
    }
  }
  const byKey = new Map<string, BodyRun[]>();
  for (const body of bodies) byKey.set(body.key, [...(byKey.get(body.key) ?? []), body]);
  for (const [key, starts] of byKey) {
    for (const [index, start] of starts.entries()) {
      if (index === 0) continue;
      const before = starts[index - 1];
      const died = before && deaths.get(before.instance);
      if (!before || !died || died.at > start.at)
        found.push(`${key} ran at ${before?.instance}, and again at ${start.instance} while that was alive`);
    }
  }
  for (const commit of commits) {
    // A request that was under way to the successor of a dead instance, when that one's last words came, runs for nothing (C9).
    const starts = byKey.get(commit.key) ?? [];
    const late = starts.find(
      (body, index) => body.at > commit.at && (deaths.get(starts[index - 1]?.instance ?? '')?.at ?? Infinity) > body.at,
    );
    if (late) found.push(`${commit.key} ran at ${late.instance} after its outcome was on record`);
  }
  return found;
}

/** A step is scheduled only after everything that it needs succeeded in the iteration that counts. */
function needProblems(graph: Graph, events: readonly RunEvent[]): string[] {
  const found: string[] = [];
  const settled = new Map<string, string>();
  const scheduled = new Set<string>();
  for (const event of events) {
    if (event.type === 'StepSettled') settled.set(event.step, event.as);
    else if (event.type === 'StepSkipped') settled.set(event.step, 'skipped');
    else if (event.type === 'ReworkStarted') for (const { step } of event.reset) settled.delete(step);
    else if (event.type === 'StepScheduled') {
      if (scheduled.has(event.key)) found.push(`${event.key} was scheduled twice`);
      scheduled.add(event.key);
      const definition = graph.steps.get(event.step);
      for (const need of definition?.needs ?? []) {
        const as = settled.get(need);
        if (definition?.always ? as === undefined : as !== 'succeeded') {
          found.push(`${event.key} was scheduled while ${need} was ${as ?? 'not settled'}`);
        }
      }
      const { iteration } = parseExecutionKey(event.key);
      if (iteration !== event.iteration) found.push(`${event.key} names another iteration than ${event.iteration}`);
    }
  }
  return found;
}
