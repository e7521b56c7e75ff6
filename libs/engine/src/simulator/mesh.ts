import { EXECUTION_LEASE_MS } from '@devmesh/contracts/execution';
import type { RunEvent } from '@devmesh/contracts/event';
import type { AgentName, Digest, InstanceId, RunId, UnixMs } from '@devmesh/contracts/ids';
import { DUE_LEASE_MS, type CreateOp } from '@devmesh/contracts/state-api';
import { start } from '@devmesh/workflow/advance';
import { graphOf, type Graph } from '@devmesh/workflow/graph';
import { TURN_TIMES } from '../turn-times.js';
import { acquiredByCreate, CORE, takeTurn, type Acquired, type TurnOptions } from '../turn.js';
import { ConnectionLost, Network, type Call, type Callee } from './network.js';
import type { Scenario } from './scenarios.js';
import { GOOD_HABITS, SimAgent, type AgentWorld } from './sim-agent.js';
import { People } from './sim-people.js';
import { simPorts, type SimWorld } from './sim-ports.js';
import { SimRemote } from './sim-remote.js';
import { StateStore } from './state-store.js';
import { Timers } from './timers.js';
import { Witness, type Folded } from './witness.js';

/** Each run has a workflow of its own, though they are alike. */
function digestOf(run: number): Digest {
  return String(run % 10).repeat(64);
}

export const START = 1_000_000;

export interface SimOrchestrator {
  name: string;
  incarnation: number;
  frozenUntil: number;
  readonly inTurn: Set<RunId>;
}

/** A run that its create gave to an orchestrator's process. */
interface Fresh {
  readonly owner: SimOrchestrator;
  readonly process: string;
  readonly id: RunId;
  readonly acquired: Acquired;
}

/** Something that may happen next. */
export type Move = () => void;

export function processOf(orchestrator: SimOrchestrator): string {
  return `${orchestrator.name}.${orchestrator.incarnation}`;
}

/** The parts of a simulated mesh, and what may happen next among them. Nothing happens by itself: whoever drives it decides. */
export class SimMesh {
  now: UnixMs = START;
  readonly store: StateStore;
  readonly network = new Network();
  readonly timers = new Timers();
  readonly remote: SimRemote;
  readonly graph: Graph;
  readonly agents = new Map<AgentName, SimAgent>();
  readonly dead = new Map<InstanceId, { agent: AgentName; at: UnixMs }>();
  readonly witness: Witness;
  readonly orchestrators: SimOrchestrator[] = [];
  /** Agents that nothing reaches, and until when. */
  readonly away = new Map<AgentName, UnixMs>();
  /** Instances of agents that hear nothing, and until when. */
  readonly frozen = new Map<InstanceId, UnixMs>();
  readonly runIds: RunId[] = [];
  readonly cancelled = new Set<RunId>();
  readonly paused = new Set<RunId>();
  readonly trace: string[] = [];
  readonly failures: string[] = [];
  /** What each process of an orchestrator has heard in its turn. */
  readonly memories = new Map<string, string>();
  queue: RunId[] = [];
  /** Created, and not yet in its first turn. */
  readonly fresh: Fresh[] = [];
  /** By digest: alike, and not the same. */
  private readonly graphs = new Map<Digest, Graph>();
  private readonly people: People;
  private readonly world: SimWorld;
  private readonly agentWorld: AgentWorld;
  private uuids = 0;
  private instances = 0;

  constructor(
    readonly scenario: Scenario,
    folded: Folded = () => undefined,
  ) {
    scenario.flaw?.forget?.();
    this.graph = graphOf(scenario.workflow);
    this.store = scenario.flaw?.store?.() ?? new StateStore();
    this.remote = new SimRemote((act) => this.witness.acted(act, this.store));
    this.witness = new Witness(this.graph, {
      now: () => this.now,
      isAtWork: (key) => [...this.agents.values()].some((agent) => agent.isAtWork(key, this.now)),
      folded,
    });
    const { network, timers, store, remote, witness, graph, agents } = this;
    const now = () => this.now;
    this.people = new People(scenario.people, { network, store, witness, now });
    this.agentWorld = {
      network,
      timers,
      store,
      remote,
      witness,
      script: scenario.script,
      catalogue: scenario.catalogue,
      now,
    };
    this.world = {
      network,
      store,
      witness,
      agents,
      now,
      uuid: () => `00000000-0000-4000-8000-${String(++this.uuids).padStart(12, '0')}`,
      instances: (agent) => this.instancesOf(agent),
      graphOf: (digest) => this.graphs.get(digest) ?? graph,
    };
    for (const { agent, undo } of scenario.workflow.steps)
      for (const name of [agent, ...(undo ? [undo.agent] : [])]) if (!this.agents.has(name)) this.startAgent(name);
    for (let index = 0; index < scenario.orchestrators; index++)
      this.orchestrators.push({ name: `orchestrator-${index + 1}`, incarnation: 1, frozenUntil: 0, inTurn: new Set() });
    for (let index = 0; index < scenario.runs; index++) this.submit(index);
  }

  get isOver(): boolean {
    return this.runIds.every((id) => {
      const row = this.store.look(id);
      return row?.status === 'ended' && row.wakeAt === null;
    });
  }

  note(what: string): void {
    this.trace.push(`${this.now - START} ${what}`);
  }

  /** What may happen now, the oldest first. */
  moves(): Move[] {
    const moves: Move[] = [];
    for (const call of this.network.calls) {
      if (call.arrivesAt > this.now) continue;
      if (call.stage === 'requested') moves.push(() => this.applyCall(call));
      else if (!this.isFrozen(call.caller) && call.canAnswer()) {
        moves.push(() => {
          this.note(`answer ${call.name} to ${call.caller}`);
          this.memories.set(call.caller, `${this.memories.get(call.caller) ?? ''};${call.name}`);
          call.answer();
        });
      }
    }
    for (const timer of this.timers.due(this.now))
      if (!this.isFrozen(timer.owner)) moves.push(() => this.timers.fire(timer));
    for (const fresh of this.fresh) if (fresh.owner.frozenUntil <= this.now) moves.push(() => this.takeFresh(fresh));
    if (this.queue.length > 0) {
      for (const orchestrator of this.orchestrators)
        if (orchestrator.frozenUntil <= this.now) moves.push(() => this.takeJob(orchestrator));
    }
    if ((this.store.nextWake() ?? Infinity) <= this.now) moves.push(() => this.pollDue());
    for (const [name, agent] of this.agents)
      if (agent.unreported(this.now).length > 0 && !this.isAway(name)) moves.push(() => this.report(agent));
    moves.push(...this.people.moves((what) => this.note(what)));
    return moves;
  }

  /** The place of the call that moves next; -1 when another thing does. */
  nextCall(): number {
    return this.network.calls.findIndex(
      (call) =>
        call.arrivesAt <= this.now && (call.stage === 'requested' || (!this.isFrozen(call.caller) && call.canAnswer())),
    );
  }

  /** To the next time at which something is due; false when there is none. */
  passTime(): boolean {
    let next = Infinity;
    const consider = (time: UnixMs | null): void => {
      if (time !== null && time > this.now && time < next) next = time;
    };
    consider(this.store.nextWake());
    for (const agent of this.agents.values()) consider(agent.nextDone(this.now));
    for (const { frozenUntil } of this.orchestrators) consider(frozenUntil);
    for (const until of this.away.values()) consider(until);
    for (const until of this.frozen.values()) consider(until);
    for (const { arrivesAt } of this.network.calls) consider(Math.max(arrivesAt, this.now + 250));
    for (const time of this.timers.times()) consider(time);
    for (const time of this.people.times()) consider(time);
    if (next === Infinity) return false;
    this.now = next;
    for (const [name, agent] of this.agents) {
      if (this.isAway(name)) continue;
      const keys = agent.running(this.now);
      if (keys.length === 0) continue;
      const executions = keys.map((key) => ({ key, progress: null }));
      this.store.heartbeat({ instance: agent.instance, leaseMs: EXECUTION_LEASE_MS, executions }, this.now);
    }
    return true;
  }

  startAgent(name: AgentName): void {
    const instance = `${name}#${++this.instances}`;
    this.agents.set(
      name,
      new SimAgent(name, instance, this.agentWorld, { ...GOOD_HABITS, ...this.scenario.flaw?.habits }),
    );
  }

  private submit(index: number): void {
    const id = `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`;
    this.runIds.push(id);
    this.graphs.set(digestOf(index), { ...this.graph });
    const first: Extract<RunEvent, { type: 'RunCreated' }> = {
      type: 'RunCreated',
      at: this.now,
      workflow: { name: this.scenario.workflow.name, digest: digestOf(index) },
      task: 'simulate',
      repository: null,
      requestedBy: 'simulator',
      plan: null,
      traceparent: null,
    };
    const env = { now: this.now, instances: (agent: AgentName) => this.instancesOf(agent) };
    const { events } = start(this.graph, id, first, env, this.scenario.inherited);
    this.witness.created(id, events);
    const owner = this.orchestrators[index % this.orchestrators.length];
    const op: CreateOp = {
      op: 'create',
      runId: id,
      projectId: 'sim',
      events: [...events],
      workflow: { digest: digestOf(index), name: 'sim' },
      task: 'simulate',
      repository: null,
      idempotency: null,
      wakeAt: this.now + 2000,
      ...(owner ? { owner: owner.name } : {}),
    };
    const created = this.store.apply(op, this.now);
    const epoch = created.result === 'created' ? created.epoch : undefined;
    if (!owner || epoch === undefined) throw new Error(`run ${id} was not created for its owner`);
    this.fresh.push({ owner, process: processOf(owner), id, acquired: acquiredByCreate(op, epoch) });
  }

  /** The first turn of a run, by whoever created it: without a job and an acquire. */
  private takeFresh(fresh: Fresh): void {
    this.fresh.splice(this.fresh.indexOf(fresh), 1);
    // Whoever died meanwhile takes no turn.
    if (processOf(fresh.owner) === fresh.process) this.takeRun(fresh.owner, fresh.id, fresh.acquired);
  }

  private applyCall(call: Call): void {
    const until = (typeof call.to === 'object' ? this.away.get(call.to.agent) : this.awayOf(call.caller)) ?? 0;
    if (until > this.now) {
      this.note(`${call.name} from ${call.caller} waits until ${until - START}`);
      // Whoever waits for it hears of a broken connection.
      if (call.caller === 'nobody') call.hold(until);
      else call.delay(until);
      return;
    }
    this.note(`arrives ${call.name} from ${call.caller}`);
    call.apply();
  }

  private awayOf(caller: string): UnixMs | undefined {
    return this.away.get(caller.split('#')[0] ?? '');
  }

  isAway(agent: AgentName): boolean {
    return (this.away.get(agent) ?? 0) > this.now;
  }

  isFrozen(process: string): boolean {
    const orchestrator = this.orchestrators.find((each) => processOf(each) === process);
    return (orchestrator?.frozenUntil ?? this.frozen.get(process) ?? 0) > this.now;
  }

  private takeJob(orchestrator: SimOrchestrator): void {
    const id = this.queue.shift();
    if (id !== undefined) this.takeRun(orchestrator, id);
  }

  private takeRun(orchestrator: SimOrchestrator, id: RunId, acquired?: Acquired): void {
    if (orchestrator.inTurn.has(id)) return;
    orchestrator.inTurn.add(id);
    this.memories.delete(processOf(orchestrator));
    const process = processOf(orchestrator);
    this.note(`${process} takes ${id.slice(-2)}`);
    const alive = () => processOf(orchestrator) === process;
    let counted = 0;
    const ports = simPorts(this.world, process, () => counted++);
    const { flaw } = this.scenario;
    const flawed = flaw?.ports?.(ports, this.world) ?? ports;
    const core = flaw?.core?.(CORE);
    const onCommitted: TurnOptions['onCommitted'] = (_run, graph) => {
      if (graph !== this.graphs.get(digestOf(this.runIds.indexOf(id))))
        this.failures.push(`run ${id} was decided with another workflow than its own`);
    };
    const options = { owner: orchestrator.name, times: TURN_TIMES, onCommitted, ...(core ? { core } : {}) };
    void takeTurn(flawed, id, options, acquired)
      .then((end) => this.note(`${process} ${id.slice(-2)} ${end}`))
      .catch(async (error: unknown) => {
        if (!(error instanceof ConnectionLost))
          this.failures.push(`a turn threw: ${error instanceof Error ? error.message : String(error)}`);
        if (!alive()) return;
        await flawed.state.turnFailed(id, null, String(error));
        if (counted !== 1) this.failures.push(`a turn threw, and ${id} counts ${counted}`);
      })
      .finally(() => {
        if (!alive()) return;
        orchestrator.inTurn.delete(id);
        this.memories.delete(process);
      });
  }

  private pollDue(): void {
    for (const { runId } of this.store.due(10, DUE_LEASE_MS, this.now)) {
      this.note(`due ${runId.slice(-2)}`);
      this.queue.push(runId);
    }
  }

  /** The agent tells the inbox, and tells it again when nobody answered. */
  private report(agent: SimAgent): void {
    const to: Callee = 'state';
    for (const execution of agent.unreported(this.now)) {
      const { key } = execution.request;
      const { outcome } = execution;
      if (!outcome) continue;
      execution.posted = true;
      this.note(`${agent.name} reports ${key.slice(37)}`);
      const message = { kind: 'result', key, outcome } as const;
      void this.network
        .call(agent.instance, to, `report ${key.slice(37)}`, () =>
          this.store.post(key.slice(0, 36), { dedupeKey: `result:${key}`, message }, this.now),
        )
        .catch(() => {
          execution.posted = false;
        });
    }
  }

  private instancesOf(agent: AgentName): InstanceId[] {
    const found = this.agents.get(agent);
    return found ? [found.instance] : [];
  }
}
