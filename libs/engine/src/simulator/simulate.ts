import type { AgentName, Digest, InstanceId, RunId, UnixMs } from '@devmesh/contracts/ids';
import { EXECUTION_LEASE_MS } from '@devmesh/contracts/execution';
import type { RunEvent } from '@devmesh/contracts/event';
import { DUE_LEASE_MS } from '@devmesh/contracts/state-api';
import { start } from '@devmesh/workflow/advance';
import { graphOf, type Graph } from '@devmesh/workflow/graph';
import { TURN_TIMES } from '../turn-times.js';
import { takeTurn } from '../turn.js';
import { violations } from './invariants.js';
import { ConnectionLost, Network, type Call } from './network.js';
import { Random } from './random.js';
import type { Scenario } from './scenarios.js';
import { GOOD_HABITS, SimAgent } from './sim-agent.js';
import { simPorts, type SimWorld } from './sim-ports.js';
import { StateStore } from './state-store.js';
import { Witness, type BodyRun } from './witness.js';

export interface SimulatedRun {
  readonly id: RunId;
  readonly events: readonly RunEvent[];
  readonly ended: boolean;
  readonly cancelled: boolean;
}

export interface SimulationReport {
  readonly runs: readonly SimulatedRun[];
  readonly bodies: readonly BodyRun[];
  /** What broke the promises, in words; empty when they were kept. */
  readonly violations: readonly string[];
  /** The scheduler's decisions, in order. */
  readonly trace: readonly string[];
  /** Faults that happened, by kind. */
  readonly faults: Readonly<Record<string, number>>;
}

const DIGEST = 'a'.repeat(64) as Digest;
const START = 1_000_000;
/** Faults stop after this many decisions, so that what can end does. */
const FAULTY_DECISIONS = 600;
const MAX_DECISIONS = 200_000;

interface Orchestrator {
  name: string;
  incarnation: number;
  frozenUntil: number;
  readonly inTurn: Set<RunId>;
}

class Simulation {
  private now: UnixMs = START;
  private readonly random: Random;
  private readonly store: StateStore;
  private readonly network = new Network();
  private readonly graph: Graph;
  private readonly agents = new Map<AgentName, SimAgent>();
  private readonly dead = new Map<InstanceId, { agent: AgentName; at: UnixMs }>();
  private readonly witness: Witness;
  private readonly world: SimWorld;
  private readonly orchestrators: Orchestrator[] = [];
  /** Agents that nothing reaches, and until when. */
  private readonly away = new Map<AgentName, UnixMs>();
  private readonly trace: string[] = [];
  private readonly faults: Record<string, number> = {};
  private readonly cancelled = new Set<RunId>();
  private readonly runIds: RunId[] = [];
  private queue: RunId[] = [];
  private decisions = 0;
  private uuids = 0;
  private instances = 0;
  private readonly failures: string[] = [];

  constructor(private readonly scenario: Scenario) {
    this.random = new Random(scenario.seed);
    this.graph = graphOf(scenario.workflow);
    this.store = scenario.flaw?.store?.() ?? new StateStore();
    this.witness = new Witness(this.graph, {
      now: () => this.now,
      isAtWork: (key) => [...this.agents.values()].some((agent) => agent.isAtWork(key, this.now)),
    });
    this.world = {
      network: this.network,
      store: this.store,
      witness: this.witness,
      graph: this.graph,
      agents: this.agents,
      now: () => this.now,
      uuid: () => `00000000-0000-4000-8000-${String(++this.uuids).padStart(12, '0')}`,
      instances: (agent) => this.instancesOf(agent),
    };
    for (const step of scenario.workflow.steps) if (!this.agents.has(step.agent)) this.startAgent(step.agent);
    for (let index = 0; index < scenario.orchestrators; index++) {
      this.orchestrators.push({ name: `orchestrator-${index + 1}`, incarnation: 1, frozenUntil: 0, inTurn: new Set() });
    }
  }

  async run(): Promise<SimulationReport> {
    for (let index = 0; index < this.scenario.runs; index++) this.submit(index);
    const most = this.scenario.maxDecisions ?? MAX_DECISIONS;
    while (this.decisions < most && !this.isOver()) {
      this.decisions++;
      await settle();
      this.decide();
      for (const id of this.runIds) this.witness.look(this.store, id);
    }
    // What is still on its way arrives when all is over, and must do no harm.
    for (const call of this.network.calls.toSorted((a, b) => a.arrivesAt - b.arrivesAt)) {
      this.now = Math.max(this.now, call.arrivesAt);
      if (call.stage === 'requested') call.apply();
    }
    await settle();
    const runs = this.runIds.map((id) => this.look(id));
    const found = violations({
      graph: this.graph,
      runs,
      bodies: this.witness.bodies,
      commits: this.witness.commits,
      deaths: this.dead,
    });
    if (!this.isOver()) found.push(`not over after ${most} decisions`);
    return {
      runs,
      bodies: this.witness.bodies,
      violations: [...this.failures, ...this.witness.violations, ...found],
      trace: this.trace,
      faults: this.faults,
    };
  }

  private submit(index: number): void {
    const id = `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`;
    this.runIds.push(id);
    const created: Extract<RunEvent, { type: 'RunCreated' }> = {
      type: 'RunCreated',
      at: this.now,
      workflow: { name: this.scenario.workflow.name, digest: DIGEST },
      task: 'simulate',
      repository: null,
      requestedBy: 'simulator',
      plan: null,
      traceparent: null,
    };
    const { events } = start(this.graph, id, created, { now: this.now, instances: (agent) => this.instancesOf(agent) });
    this.witness.created(id, events);
    this.store.apply(
      {
        op: 'create',
        runId: id,
        projectId: 'sim',
        events: [...events],
        workflow: { digest: DIGEST, name: 'sim' },
        task: 'simulate',
        repository: null,
        idempotency: null,
        wakeAt: this.now + 2000,
      },
      this.now,
    );
    this.queue.push(id);
  }

  private look(id: RunId): SimulatedRun {
    const row = this.store.look(id);
    return {
      id,
      events: row?.events.map(({ event }) => event) ?? [],
      ended: row?.status === 'ended',
      cancelled: this.cancelled.has(id),
    };
  }

  private isOver(): boolean {
    return this.runIds.every((id) => {
      const row = this.store.look(id);
      return row?.status === 'ended' && row.wakeAt === null;
    });
  }

  private note(what: string): void {
    this.trace.push(`${this.now - START} ${what}`);
  }

  private fault(kind: string, what: string): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
    this.note(`FAULT ${what}`);
  }

  /** One thing happens. */
  private decide(): void {
    const faulty = this.decisions < FAULTY_DECISIONS;
    if (faulty && this.faultHappens()) return;
    const moves = this.moves();
    const move = this.random.pick(moves);
    if (move) move();
    else this.passTime();
    // Time passes between any two things, now and then by a lot.
    if (this.random.chance(0.05)) this.passTime();
  }

  private faultHappens(): boolean {
    const { faults } = this.scenario;
    const { random } = this;
    if (random.chance(faults.crash)) return this.crash(random.pick(this.orchestrators));
    if (random.chance(faults.freeze)) return this.freeze(random.pick(this.orchestrators));
    if (random.chance(faults.agentCrash)) return this.crashAgent(random.pick([...this.agents.keys()]));
    if (random.chance(faults.emptyQueue) && this.queue.length > 0) {
      this.fault('emptyQueue', 'the queue is emptied');
      this.queue = [];
      return true;
    }
    if (random.chance(faults.duplicate)) {
      const id = random.pick(this.runIds);
      if (id !== undefined) this.queue.push(id);
      this.fault('duplicate', `a second job for ${id}`);
      return true;
    }
    if (random.chance(faults.cancel)) {
      const id = random.pick(this.runIds);
      if (id === undefined || this.cancelled.has(id)) return false;
      const posted = this.store.post(
        id,
        { dedupeKey: 'cancel', message: { kind: 'cancel', by: 'sim', reason: 'chance' } },
        this.now,
      );
      if ('accepted' in posted && posted.accepted) this.cancelled.add(id);
      this.fault('cancel', `cancel ${id}`);
      return true;
    }
    if (random.chance(faults.loss)) {
      const call = random.pick(this.network.calls);
      if (!call) return false;
      this.fault(
        'loss',
        `${call.stage === 'requested' ? 'request' : 'answer'} of ${call.name} by ${call.caller} is lost`,
      );
      call.break();
      return true;
    }
    if (random.chance(faults.away)) {
      const agent = random.pick([...this.agents.keys()]);
      if (agent === undefined) return false;
      const until = this.now + random.below(100_000);
      this.away.set(agent, until);
      this.fault('away', `nothing reaches ${agent} until ${until - START}`);
      return true;
    }
    if (random.chance(faults.late)) {
      const call = random.pick(this.network.calls.filter(({ stage }) => stage === 'requested'));
      if (!call) return false;
      this.fault('late', `request ${call.name} by ${call.caller} is late`);
      call.delay(this.aWhile());
      return true;
    }
    if (random.chance(faults.echo)) {
      const call = random.pick(this.network.calls);
      if (!call) return false;
      this.fault('echo', `request ${call.name} by ${call.caller} comes twice`);
      call.echo(this.aWhile());
      return true;
    }
    return false;
  }

  /** When a request arrives that takes its time: mostly soon, sometimes when its deadline has passed. */
  private aWhile(): UnixMs {
    return this.now + this.random.below(this.random.chance(0.3) ? 150_000 : 500);
  }

  private moves(): (() => void)[] {
    const moves: (() => void)[] = [];
    for (const call of this.network.calls) {
      if (call.arrivesAt > this.now) continue;
      if (call.stage === 'requested') moves.push(() => this.applyCall(call));
      else if (call.canAnswer() && !this.isFrozen(call.caller)) {
        moves.push(() => {
          this.note(`answer ${call.name} to ${call.caller}`);
          call.answer();
        });
      }
    }
    if (this.queue.length > 0) {
      for (const orchestrator of this.orchestrators) {
        if (orchestrator.frozenUntil <= this.now) moves.push(() => this.takeJob(orchestrator));
      }
    }
    if ((this.store.nextWake() ?? Infinity) <= this.now) moves.push(() => this.pollDue());
    for (const [name, agent] of this.agents)
      if (agent.unreported(this.now).length > 0 && !this.isAway(name)) moves.push(() => this.report(name, agent));
    return moves;
  }

  private applyCall(call: Call): void {
    const step = /^(?:execute|cancel|report) ([^/]+)\//.exec(call.name)?.[1] ?? '';
    const until = this.away.get(this.graph.steps.get(step)?.agent ?? '') ?? 0;
    if (until > this.now) {
      this.note(`${call.name} from ${call.caller} waits until ${until - START}`);
      call.delay(until);
      return;
    }
    this.note(`arrives ${call.name} from ${call.caller}`);
    call.apply();
  }

  private isAway(agent: AgentName): boolean {
    return (this.away.get(agent) ?? 0) > this.now;
  }

  private isFrozen(caller: string): boolean {
    const orchestrator = this.orchestrators.find((each) => processOf(each) === caller);
    return orchestrator !== undefined && orchestrator.frozenUntil > this.now;
  }

  private takeJob(orchestrator: Orchestrator): void {
    const id = this.queue.shift();
    if (id === undefined || orchestrator.inTurn.has(id)) return;
    orchestrator.inTurn.add(id);
    const process = processOf(orchestrator);
    this.note(`${process} takes ${id.slice(-2)}`);
    const alive = () => processOf(orchestrator) === process;
    const ports = simPorts(this.world, process);
    const flawed = this.scenario.flaw?.ports?.(ports, this.world) ?? ports;
    void takeTurn(flawed, id, { owner: orchestrator.name, times: TURN_TIMES })
      .then((end) => this.note(`${process} ${id.slice(-2)} ${end}`))
      .catch((error: unknown) => {
        if (!(error instanceof ConnectionLost))
          this.failures.push(`a turn threw: ${error instanceof Error ? error.message : String(error)}`);
        if (alive()) this.store.turnFailed(id, this.now);
      })
      .finally(() => {
        if (alive()) orchestrator.inTurn.delete(id);
      });
  }

  private pollDue(): void {
    for (const { runId } of this.store.due(10, DUE_LEASE_MS, this.now)) {
      this.note(`due ${runId.slice(-2)}`);
      this.queue.push(runId);
    }
  }

  /** The agent tells the inbox, and tells it again when nobody answered. */
  private report(name: AgentName, agent: SimAgent): void {
    for (const execution of agent.unreported(this.now)) {
      const { key } = execution.request;
      execution.posted = true;
      this.note(`${name} reports ${key.slice(37)}`);
      const message = { kind: 'result', key, outcome: execution.outcome } as const;
      void this.network
        .call(agent.instance, `report ${key.slice(37)}`, () =>
          this.store.post(key.slice(0, 36), { dedupeKey: `result:${key}`, message }, this.now),
        )
        .catch(() => {
          execution.posted = false;
        });
    }
  }

  /** To the next time at which something is due. */
  private passTime(): void {
    const times = [this.store.nextWake(), ...[...this.agents.values()].map((agent) => agent.nextDone(this.now))];
    const frozen = this.orchestrators.map(({ frozenUntil }) => frozenUntil);
    const waits = this.network.calls.map(({ arrivesAt }) => Math.max(arrivesAt, this.now + 250));
    const later = [...times, ...frozen, ...this.away.values(), ...waits].filter(
      (time): time is number => time !== null && time > this.now,
    );
    this.now = later.length > 0 ? Math.min(...later) : this.now + 100;
    for (const [name, agent] of this.agents) {
      if (this.isAway(name)) continue;
      const keys = agent.running(this.now);
      if (keys.length === 0) continue;
      const executions = keys.map((key) => ({ key, progress: null }));
      this.store.heartbeat({ instance: agent.instance, leaseMs: EXECUTION_LEASE_MS, executions }, this.now);
    }
  }

  private crash(orchestrator: Orchestrator | undefined): boolean {
    if (!orchestrator) return false;
    const process = processOf(orchestrator);
    this.fault('crash', `${process} dies`);
    this.network.abandon(process);
    orchestrator.incarnation++;
    orchestrator.frozenUntil = 0;
    orchestrator.inTurn.clear();
    this.store.recover(orchestrator.name, this.now);
    return true;
  }

  private freeze(orchestrator: Orchestrator | undefined): boolean {
    if (!orchestrator || orchestrator.frozenUntil > this.now) return false;
    orchestrator.frozenUntil = this.now + 1000 + this.random.below(30_000);
    this.fault('freeze', `${processOf(orchestrator)} hears nothing until ${orchestrator.frozenUntil - START}`);
    return true;
  }

  private startAgent(name: AgentName): void {
    const instance = `${name}#${++this.instances}`;
    const agent = new SimAgent(
      instance,
      this.scenario.script,
      (key, at, outcome) => this.witness.body(key, at, outcome),
      { ...GOOD_HABITS, ...this.scenario.flaw?.habits },
    );
    this.agents.set(name, agent);
  }

  private crashAgent(name: AgentName | undefined): boolean {
    const agent = name === undefined ? undefined : this.agents.get(name);
    if (name === undefined || !agent) return false;
    this.fault('agentCrash', `${agent.instance} dies`);
    this.network.abandon(agent.instance);
    this.dead.set(agent.instance, { agent: name, at: this.witness.at });
    this.startAgent(name);
    return true;
  }

  private instancesOf(agent: AgentName): InstanceId[] {
    const found = this.agents.get(agent);
    return found ? [found.instance] : [];
  }
}

function processOf(orchestrator: Orchestrator): string {
  return `${orchestrator.name}.${orchestrator.incarnation}`;
}

/** Lets everything that can go on without the scheduler go on. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Runs one scenario to its end. The same scenario gives the same report. */
export function simulate(scenario: Scenario): Promise<SimulationReport> {
  return new Simulation(scenario).run();
}
