import type { InboxMessage, InboxRow, RunEvent, StoredEvent } from '@devmesh/contracts/event';
import type { ExecutionRequest } from '@devmesh/contracts/execution';
import {
  executionKey,
  type AgentName,
  type ExecutionKey,
  type InstanceId,
  type RunId,
  type StepId,
} from '@devmesh/contracts/ids';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { AcquireOp, AppendOp, Checkpoint, Lease } from '@devmesh/contracts/state-api';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { start } from '@devmesh/workflow/advance';
import { graphOf, type Graph } from '@devmesh/workflow/graph';
import type { AcquireResult, AppendResult, DispatchAnswer, TurnPorts } from '../ports.js';
import { TURN_TIMES } from '../turn-times.js';
import { takeTurn, type TurnEnd } from '../turn.js';

export const RUN: RunId = '01890000-0000-7000-8000-000000000001';
export const T0 = 1_000_000;

interface Calls {
  acquire: { readonly op: AcquireOp; answer(result: AcquireResult): void; fail(error: Error): void };
  append: { readonly op: AppendOp; answer(result: AppendResult): void; fail(error: Error): void };
  execute: {
    readonly agent: AgentName;
    readonly request: ExecutionRequest;
    readonly waitMs: number;
    answer(result: DispatchAnswer): void;
    fail(error: Error): void;
  };
  cancel: {
    readonly instance: InstanceId;
    readonly key: ExecutionKey;
    readonly epoch: number;
    answer(stopped: boolean): void;
    fail(error: Error): void;
  };
}
type Kind = keyof Calls;
type Waiting = { [K in Kind]: { readonly kind: K; readonly call: Calls[K] } }[Kind];

export interface Acquired {
  readonly inbox?: readonly InboxRow[];
  readonly leases?: readonly Lease[];
  readonly checkpoint?: Checkpoint;
  /** Events as the state service has them; those of the run so far when left out. */
  readonly events?: readonly StoredEvent[];
}

/**
 * A turn's ports, driven by hand: every call of the shell waits until the test takes it, in the order in which they were made.
 * A call that the test did not expect fails it, by `next` or by `over`.
 */
export class HandMesh {
  now = T0;
  epoch = 1;
  readonly graph: Graph;
  /** What is on record. */
  readonly events: RunEvent[];
  /** Every call, in order, by name. */
  readonly log: string[] = [];
  /** Instances by agent; one each, `AGENT#1`, when nothing is said. */
  readonly instances = new Map<AgentName, readonly InstanceId[]>();
  readonly committed: RunEvent[][] = [];
  private readonly waiting: Waiting[] = [];
  private uuids = 0;
  private rows = 0;

  constructor(workflow: WorkflowDefinition) {
    this.graph = graphOf(workflow);
    const created: Extract<RunEvent, { type: 'RunCreated' }> = {
      type: 'RunCreated',
      at: T0,
      workflow: { name: workflow.name, digest: 'a'.repeat(64) },
      task: 'the task',
      repository: null,
      requestedBy: 'test',
      plan: null,
      traceparent: null,
    };
    this.events = [
      ...start(this.graph, RUN, created, { now: T0, instances: (agent) => this.instancesOf(agent) }).events,
    ];
  }

  /** Starts a turn, and answers its acquire. */
  async turn(acquired: Acquired = {}): Promise<{ readonly end: Promise<TurnEnd> }> {
    const end = this.take();
    // A test that expects a rejection awaits it later.
    end.catch(() => undefined);
    const { answer } = await this.next('acquire');
    answer({
      result: 'acquired',
      epoch: this.epoch,
      status: 'running',
      workflowDigest: 'a'.repeat(64),
      checkpoint: acquired.checkpoint ?? null,
      events: [...(acquired.events ?? this.stored())],
      inbox: [...(acquired.inbox ?? [])],
      leases: [...(acquired.leases ?? [])],
    });
    return { end };
  }

  take(): Promise<TurnEnd> {
    const onCommitted = (
      _run: RunId,
      _graph: Graph,
      _before: unknown,
      _after: unknown,
      events: readonly RunEvent[],
    ) => {
      this.committed.push([...events]);
    };
    return takeTurn(this.ports(), RUN, { owner: 'orchestrator-1', times: TURN_TIMES, onCommitted });
  }

  /** The next call, which must be of this kind. */
  async next<K extends Kind>(kind: K): Promise<Calls[K]> {
    await settle();
    const first = this.waiting.shift();
    if (!first) throw new Error(`${kind} was expected, and nothing was called`);
    if (first.kind !== kind) throw new Error(`${kind} was expected, and ${first.kind} was called: ${this.log.at(-1)}`);
    return first.call as Calls[K];
  }

  /** The next calls, all executions, by step. */
  async executions(count: number): Promise<Map<StepId, Calls['execute']>> {
    const found = new Map<StepId, Calls['execute']>();
    for (let index = 0; index < count; index++) {
      const call = await this.next('execute');
      found.set(call.request.key.split('/')[1] ?? '', call);
    }
    return found;
  }

  /** Fails when a call waits that nobody took. */
  async over(): Promise<void> {
    await settle();
    const left = this.waiting.map(({ kind }) => kind);
    if (left.length > 0) throw new Error(`nothing more was expected, and called were: ${left.join(', ')}`);
  }

  /** Answers an append as the state service does, with these rows unread, and puts its events on record. */
  commit({ op, answer }: Calls['append'], inbox: readonly InboxRow[] = []): void {
    this.events.push(...op.events);
    answer({ result: 'appended', seq: this.events.length, inbox: [...inbox], parked: op.park && inbox.length === 0 });
  }

  row(message: InboxMessage): InboxRow {
    this.rows++;
    return { id: `row-${this.rows}`, dedupeKey: `row-${this.rows}`, message };
  }

  key(step: StepId, iteration = 1, attempt = 1): ExecutionKey {
    return executionKey(RUN, step, iteration, attempt);
  }

  stored(): StoredEvent[] {
    return this.events.map((event, index) => ({ seq: index + 1, event }));
  }

  private instancesOf(agent: AgentName): readonly InstanceId[] {
    return this.instances.get(agent) ?? [`${agent}#1`];
  }

  private call<T>(
    name: string,
    add: (answer: (value: T) => void, fail: (error: Error) => void) => Waiting,
  ): Promise<T> {
    this.log.push(name);
    return new Promise((resolve, reject) => this.waiting.push(add(resolve, reject)));
  }

  private ports(): TurnPorts {
    return {
      state: {
        acquire: (op) => this.call('acquire', (answer, fail) => ({ kind: 'acquire', call: { op, answer, fail } })),
        append: (op) => {
          const types = op.events.map((event) => ('step' in event ? `${event.type} ${event.step}` : event.type));
          const name = `append ${types.join(', ')}${op.park ? ' and park' : ''}`;
          return this.call(name, (answer, fail) => ({ kind: 'append', call: { op, answer, fail } }));
        },
        turnFailed: () => Promise.reject(new Error('the shell does not count its own failures')),
      },
      agents: {
        instances: (agent) => this.instancesOf(agent),
        execute: (agent, request, waitMs) =>
          this.call(`execute ${request.key.split('/')[1]}`, (answer, fail) => ({
            kind: 'execute',
            call: { agent, request, waitMs, answer, fail },
          })),
        cancel: (_agent, instance, key, epoch) =>
          this.call(`cancel ${key.split('/')[1]}`, (answer, fail) => ({
            kind: 'cancel',
            call: { instance, key, epoch, answer, fail },
          })),
      },
      graphs: { graph: () => Promise.resolve(this.graph) },
      clock: { now: () => this.now },
      ids: { uuid: () => `00000000-0000-4000-8000-${String(++this.uuids).padStart(12, '0')}` },
    };
  }
}

export const done = (output = {}): DispatchAnswer => ({ kind: 'outcome', outcome: { kind: 'succeeded', output } });
export const outcome = (value: Outcome): DispatchAnswer => ({ kind: 'outcome', outcome: value });

/** Lets everything go on that can. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
