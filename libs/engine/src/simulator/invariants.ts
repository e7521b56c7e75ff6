import type { RunEvent } from '@devmesh/contracts/event';
import type { AgentName, InstanceId, RunId, StepId } from '@devmesh/contracts/ids';
import { parseExecutionKey } from '@devmesh/contracts/ids';
import { definitionOf, loopId, worstCaseRounds, type Graph } from '@devmesh/workflow/graph';
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
    found.push(...historyProblems(graph, run.events));
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

/** Phases in which a step's needs and branches are dealt with. */
type Settled = 'succeeded' | 'failed' | 'rejected' | 'skipped' | 'cancelled';

/** What a run's events alone tell: told anew here, without the engine's own idea of it. */
class Retold {
  readonly found: string[] = [];
  private readonly settled = new Map<StepId, Settled>();
  private readonly taken = new Map<StepId, StepId[]>();
  private readonly scheduled = new Set<string>();
  private readonly finished = new Set<string>();
  private readonly rounds = new Map<string, number>();
  private readonly undone = new Map<string, number>();
  private readonly toUndo: { readonly step: StepId; readonly iteration: number }[] = [];
  private aborted = false;
  /** The step that somebody is to be told of next. */
  private toTell: StepId | null = null;

  constructor(private readonly graph: Graph) {}

  tell(event: RunEvent): void {
    if (this.toTell !== null && (event.type !== 'NotificationRecorded' || event.step !== this.toTell))
      this.found.push(`nobody was told of ${this.toTell}, as is on record`);
    else if (this.toTell === null && event.type === 'NotificationRecorded' && !event.step.endsWith('.undo'))
      this.found.push(`${event.step} is on record as told of without a reason`);
    this.toTell = null;
    switch (event.type) {
      case 'StepsInherited':
        for (const { step, as, taken } of event.steps) {
          this.settled.set(step, as);
          this.taken.set(
            step,
            taken.map(({ target }) => target),
          );
        }
        return;
      case 'StepScheduled':
        this.starts(event.step, event.key, event.iteration);
        if (this.scheduled.has(event.key)) this.found.push(`${event.key} was scheduled twice`);
        this.scheduled.add(event.key);
        if (parseExecutionKey(event.key).iteration !== event.iteration)
          this.found.push(`${event.key} names another iteration than ${event.iteration}`);
        return;
      case 'FanOutStarted':
      case 'ApprovalRequested':
        this.starts(event.step, event.step, event.iteration);
        return;
      case 'BranchTaken':
        if (event.branch.kind === 'goto')
          this.taken.set(event.from, [...(this.taken.get(event.from) ?? []), event.branch.target]);
        if (event.branch.kind === 'fail') this.aborted = true;
        if (event.branch.kind === 'log_and_notify') this.toTell = event.from;
        return;
      case 'ApprovalReminded':
        this.toTell = event.step;
        return;
      case 'StepSettled':
        this.settled.set(event.step, event.as);
        this.finished.add(`${event.step} ${event.iteration}`);
        this.mayNeedUndo(event);
        return;
      case 'StepSkipped':
        this.skips(event.step);
        this.settled.set(event.step, 'skipped');
        return;
      case 'StepCancelled':
        this.settled.set(event.step, 'cancelled');
        return;
      case 'CancelRequested':
      case 'RunTimedOut':
        this.aborted = true;
        return;
      case 'UndoStarted': {
        const name = `${event.step} ${event.iteration}`;
        const times = (this.undone.get(name) ?? 0) + 1;
        this.undone.set(name, times);
        if (times > 1) this.found.push(`iteration ${name} was undone ${times} times`);
        this.undoes(event);
        return;
      }
      case 'ReworkStarted':
        this.reworks(event);
        return;
      case 'RunEnded':
        this.ends();
        return;
      default:
    }
  }

  /** In an abort the last one done is taken back first. */
  private undoes({ step, iteration }: Extract<RunEvent, { type: 'UndoStarted' }>): void {
    const at = this.toUndo.findIndex((entry) => entry.step === step && entry.iteration === iteration);
    const later = this.toUndo.slice(at + 1).find((entry) => !this.undone.has(`${entry.step} ${entry.iteration}`));
    if (this.aborted && at >= 0 && later)
      this.found.push(
        `${step} ${iteration} was undone before ${later.step} ${later.iteration}, which was done after it`,
      );
  }

  /** What a fan-out did, its items did. */
  private mayNeedUndo({ step, iteration, as }: Extract<RunEvent, { type: 'StepSettled' }>): void {
    const definition = definitionOf(this.graph, step);
    if (as !== 'succeeded' || !definition?.undo || definition.forEach) return;
    this.toUndo.push({ step, iteration });
  }

  /** Only after what it needs succeeded in the iteration that counts, and never again once it is finished. */
  private starts(step: StepId, name: string, iteration: number): void {
    if (this.finished.has(`${step} ${iteration}`)) this.found.push(`${name} was begun again after it was finished`);
    const definition = this.graph.steps.get(step);
    if (!definition) return;
    const { needs, quorum, always } = definition;
    const fired = needs.filter((need) => (always ? this.settled.has(need) : this.settled.get(need) === 'succeeded'));
    if (fired.length < Math.min(quorum ?? needs.length, needs.length)) {
      const how = needs.map((need) => `${need} was ${this.settled.get(need) ?? 'not settled'}`).join(', ');
      this.found.push(`${name} was scheduled while ${how}`);
    }
    const sources = this.graph.gotoSources.get(step) ?? [];
    const led = sources.some((source) => this.taken.get(source)?.includes(step));
    if (sources.length > 0 && !led && !always) this.found.push(`${name} was scheduled, and no branch led there`);
  }

  /** Only when what it needs cannot come any more, or its condition says no. */
  private skips(step: StepId): void {
    const definition = this.graph.steps.get(step);
    if (!definition || definition.when !== null || definition.kind === 'group_end') return;
    const { needs, quorum, always } = definition;
    const dead = needs.filter((need) => !always && (this.settled.get(need) ?? 'succeeded') !== 'succeeded').length;
    const sources = this.graph.gotoSources.get(step) ?? [];
    const left = sources.every((source) => this.settled.has(source) && !this.taken.get(source)?.includes(step));
    const hopeless = needs.length - dead < Math.min(quorum ?? needs.length, needs.length);
    if (!hopeless && !(sources.length > 0 && left))
      this.found.push(`${step} was skipped, and no branch led there or need died: it could have run`);
  }

  private reworks({ by, on, reset, round }: Extract<RunEvent, { type: 'ReworkStarted' }>): void {
    const loop = loopId(by, on);
    const times = (this.rounds.get(loop) ?? 0) + 1;
    this.rounds.set(loop, times);
    const { maxAttempts = 0 } = this.graph.loops.get(loop) ?? {};
    if (round > maxAttempts) this.found.push(`loop ${loop} is in round ${round} of ${maxAttempts}`);
    if (times > (worstCaseRounds(this.graph).get(loop) ?? 0)) this.found.push(`loop ${loop} sent back ${times} times`);
    for (const { step } of reset) {
      this.settled.delete(step);
      this.taken.delete(step);
    }
  }

  private ends(): void {
    for (const step of this.graph.order)
      if (!this.settled.has(step)) this.found.push(`the run ended before step ${step} was settled`);
    for (const { step, iteration } of this.toUndo) {
      const superseded = this.toUndo.some((other) => other.step === step && other.iteration > iteration);
      if ((this.aborted || superseded) && !this.undone.has(`${step} ${iteration}`))
        this.found.push(`iteration ${iteration} of ${step} was not undone`);
    }
  }
}

function historyProblems(graph: Graph, events: readonly RunEvent[]): string[] {
  const retold = new Retold(graph);
  for (const event of events) retold.tell(event);
  return retold.found;
}
