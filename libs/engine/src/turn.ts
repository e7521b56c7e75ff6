import type { RunEvent } from '@devmesh/contracts/event';
import type { ExecutionKey, RunId, UnixMs } from '@devmesh/contracts/ids';
import type { JsonObject } from '@devmesh/contracts/json';
import type { AppendOp, CreateOp } from '@devmesh/contracts/state-api';
import { advance, commandsOf, nextTimer, type Command } from '@devmesh/workflow/advance';
import { fold } from '@devmesh/workflow/evolve';
import type { Graph } from '@devmesh/workflow/graph';
import { readCheckpoint, type RunState } from '@devmesh/workflow/state';
import { appendedFacts } from './appended-facts.js';
import { artifactsIn } from './artifacts-in.js';
import { Dispatcher } from './dispatcher.js';
import { Mailbox } from './mailbox.js';
import type { AcquireResult, TurnPorts } from './ports.js';
import type { TurnTimes } from './turn-times.js';
import { upcast } from './upcast.js';

/** As many as a request takes. An agent that misses one keeps its answer a little longer. */
const MAX_ACKNOWLEDGED = 500;

/** How a turn ended. */
export type TurnEnd = 'ended' | 'parked' | 'superseded' | 'unknown_run';

/** Events after the checkpoint from which a new one is written: bounds what an acquire has to read. */
const CHECKPOINT_EVERY = 50;

/** What the shell asks of the core. */
export interface Core {
  readonly advance: typeof advance;
  readonly commandsOf: typeof commandsOf;
  readonly nextTimer: typeof nextTimer;
}

/** The one that ships. */
export const CORE: Core = { advance, commandsOf, nextTimer };

export interface TurnOptions {
  readonly owner: string;
  readonly times: TurnTimes;
  /** Hears every event of this turn after it committed: for metrics, logs and spans. Must not throw. */
  readonly onCommitted?: (
    runId: RunId,
    graph: Graph,
    before: RunState,
    after: RunState,
    events: readonly RunEvent[],
  ) => void;
  /** Another core than the one that ships: the prover hands in broken ones, and must see them break. */
  readonly core?: Core;
}

/** A run as its owner has it. */
export type Acquired = Extract<AcquireResult, { result: 'acquired' }>;

/** A run as the owner has it that its create named. */
export function acquiredByCreate(op: Pick<CreateOp, 'events' | 'workflow'>, epoch: number): Acquired {
  return {
    result: 'acquired',
    epoch,
    status: 'running',
    workflowDigest: op.workflow.digest,
    checkpoint: null,
    events: op.events.map((event, index) => ({ seq: index + 1, event })),
    inbox: [],
    leases: [],
  };
}

/**
 * One turn of one run (docs/engine.md, section 4): acquire unless the run is `acquired` already, then fold, decide, append, dispatch, absorb
 * until time is up or nothing is left to do, then park. Rejects when a port rejects; nothing is then half-done, and the run's wake
 * time stands.
 */
export async function takeTurn(
  ports: TurnPorts,
  runId: RunId,
  options: TurnOptions,
  acquired?: Acquired,
): Promise<TurnEnd> {
  for (let held = acquired; ; held = undefined) {
    const end = await (held ? take(ports, runId, options, held) : acquireAndTake(ports, runId, options));
    // Somebody was told that what they said counts, and it was not read yet: read it, and decide anew.
    if (end !== 'unread') return end;
  }
}

async function acquireAndTake(ports: TurnPorts, runId: RunId, options: TurnOptions): Promise<TurnEnd | 'unread'> {
  const acquired = await ports.state.acquire({ op: 'acquire', runId, owner: options.owner });
  if (acquired.result === 'refused') {
    if (acquired.code === 'not_found') return 'unknown_run';
    throw new Error(`acquire of run ${runId} was refused: ${acquired.code}: ${acquired.message}`);
  }
  return take(ports, runId, options, acquired);
}

async function take(
  ports: TurnPorts,
  runId: RunId,
  options: TurnOptions,
  acquired: Acquired,
): Promise<TurnEnd | 'unread'> {
  const graph = await ports.graphs.graph(acquired.workflowDigest);
  return new Turn(ports, runId, graph, acquired, options).take();
}

class Turn {
  private readonly mailbox = new Mailbox();
  private readonly dispatcher: Dispatcher;
  private readonly core: Core;
  private readonly startedAt: UnixMs;
  private state: RunState;
  private readonly epoch: number;
  private sinceCheckpoint: number;
  private acknowledge: ExecutionKey[] = [];

  constructor(
    private readonly ports: TurnPorts,
    private readonly runId: RunId,
    private readonly graph: Graph,
    acquired: Acquired,
    private readonly options: TurnOptions,
  ) {
    this.core = options.core ?? CORE;
    const checkpoint = acquired.checkpoint === null ? null : readCheckpoint(acquired.checkpoint.state);
    this.state = fold(
      graph,
      runId,
      checkpoint,
      acquired.events.map(({ event }) => upcast(event)),
    );
    this.epoch = acquired.epoch;
    this.sinceCheckpoint = acquired.events.length;
    this.startedAt = ports.clock.now();
    this.mailbox.putRows(acquired.inbox);
    this.dispatcher = new Dispatcher(
      graph,
      acquired.epoch,
      ports.agents,
      ports.clock,
      this.mailbox,
      options.times,
      acquired.leases,
    );
  }

  async take(): Promise<TurnEnd | 'unread'> {
    for (;;) {
      const { inputs, rows } = this.mailbox.drain();
      const now = this.ports.clock.now();
      const { state, events } = this.core.advance(this.graph, this.state, inputs, {
        now,
        instances: (agent) => this.ports.agents.instances(agent),
      });
      const commands = this.core.commandsOf(this.graph, state);
      // Time is up: what is left to send, the next turn sends.
      const toSend = now < this.startedAt + this.options.times.turnMs ? this.dispatcher.due(commands) : [];
      const park = this.dispatcher.isIdle && this.mailbox.isEmpty && toSend.length === 0;
      if (events.length > 0 || rows.length > 0 || park) {
        const reply = await this.append(state, events, rows, park, commands);
        if (reply === 'superseded' || reply === 'unread') return reply;
        if (reply === 'parked') return state.ended && commands.length === 0 ? 'ended' : 'parked';
      }
      if (this.dispatcher.isStale) return 'superseded';
      this.dispatcher.send(toSend, this.acknowledge.slice(-MAX_ACKNOWLEDGED));
      if (!this.dispatcher.isIdle) await this.mailbox.arrival();
    }
  }

  private async append(
    state: RunState,
    events: readonly RunEvent[],
    rows: readonly string[],
    park: boolean,
    commands: readonly Command[],
  ): Promise<'appended' | 'parked' | 'superseded' | 'unread'> {
    const now = this.ports.clock.now();
    const checkpoint = this.sinceCheckpoint + events.length >= CHECKPOINT_EVERY && events.length > 0;
    const ended = events.find((event) => event.type === 'RunEnded');
    const op: AppendOp = {
      op: 'append',
      appendId: this.ports.ids.uuid(),
      runId: this.runId,
      epoch: this.epoch,
      events: [...events],
      consume: [...rows],
      checkpoint: checkpoint ? (state as unknown as JsonObject) : null,
      artifacts: artifactsIn(events),
      ...appendedFacts(this.state, state, events),
      ended: ended ? { verdict: ended.verdict, reason: ended.reason } : null,
      wakeAt: park ? this.wakeAt(state, commands) : now + this.options.times.leaseMs,
      park,
    };
    const reply = await this.ports.state.append(op);
    if (reply.result === 'refused') {
      if (reply.code === 'stale_epoch') return 'superseded';
      if (reply.code === 'unread') return 'unread';
      throw new Error(`append of run ${this.runId} was refused: ${reply.code}: ${reply.message}`);
    }
    const before = this.state;
    this.state = state;
    this.sinceCheckpoint = checkpoint ? 0 : this.sinceCheckpoint + events.length;
    for (const event of events) if (event.type === 'StepCompleted') this.acknowledge.push(event.key);
    this.options.onCommitted?.(this.runId, this.graph, before, state, events);
    this.mailbox.putRows(reply.inbox);
    return reply.parked ? 'parked' : 'appended';
  }

  /** The nearest time at which there is something to do, Unix ms; null when there will be nothing. */
  private wakeAt(state: RunState, commands: readonly Command[]): UnixMs | null {
    const now = this.ports.clock.now();
    const times = this.dispatcher.lookAgain(commands);
    const timer = this.core.nextTimer(this.graph, state);
    if (timer !== null) times.push(timer);
    if (this.dispatcher.due(commands).length > 0) times.push(now);
    // A paused run starts nothing, so it waits for no instance.
    const waits =
      !state.ended &&
      state.paused === null &&
      Object.values(state.steps).some((step) => step.phase === 'running' && step.instance === null);
    if (waits) times.push(now + this.options.times.retryMs);
    if (times.length > 0) return Math.max(now, Math.min(...times));
    return state.ended ? null : now + this.options.times.leaseMs;
  }
}
