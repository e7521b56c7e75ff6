import { RunEvent, type RunEventType } from '@devmesh/contracts/event';
import { EXECUTION_LEASE_MS } from '@devmesh/contracts/execution';
import type { AppendOp } from '@devmesh/contracts/state-api';
import { evolve } from '@devmesh/workflow/evolve';
import type { AppendResult, TurnPorts } from '../ports.js';
import type { Flaw } from '../simulator/scenarios.js';
import type { Core } from '../turn.js';

/** What is done to each call and each event. */
export const OPERATORS = ['drop', 'duplicate', 'swap', 'ignore'] as const;
export type Operator = (typeof OPERATORS)[number];

export interface GeneratedMutant {
  /** `port.call operator` or `event operator`. */
  readonly name: string;
  readonly about: string;
  readonly flaw: Flaw;
}

/** Ports with one call changed. `made` lives as long as the mutant: what a broken process remembers. */
type Change = (ports: TurnPorts, memory: Map<string, unknown>) => TurnPorts;

/** Held by the types to every call of every port: one that is added must be broken here too. */
type PortChanges = {
  readonly [P in keyof TurnPorts]: { readonly [C in keyof TurnPorts[P]]: Readonly<Record<Operator, Change>> };
};

/** What an append is answered when all goes well. */
function asIfAppended(op: AppendOp): AppendResult {
  return { result: 'appended', seq: 1, inbox: [], parked: op.park };
}

/** The first answer, again and again. */
function remembered<T>(memory: Map<string, unknown>, name: string, value: T): T {
  if (!memory.has(name)) memory.set(name, value);
  return memory.get(name) as T;
}

/** A call that goes out once the next one has: what it would have been answered is made up. */
function held(memory: Map<string, unknown>, call: () => Promise<unknown>): void {
  memory.set('held', call);
}
function release(memory: Map<string, unknown>): void {
  const call = memory.get('held') as (() => Promise<unknown>) | undefined;
  memory.delete('held');
  call?.().catch(() => undefined);
}

/** Every asynchronous call lets one that was held back go behind it. */
function releasing(ports: TurnPorts, memory: Map<string, unknown>): TurnPorts {
  const behind = <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) => {
    return (...args: A): Promise<R> => {
      const answer = call(...args);
      release(memory);
      return answer;
    };
  };
  const { state, agents } = ports;
  return {
    ...ports,
    state: {
      acquire: behind((op) => state.acquire(op)),
      append: behind((op) => state.append(op)),
      turnFailed: (...args) => state.turnFailed(...args),
    },
    agents: {
      instances: (agent) => agents.instances(agent),
      execute: behind((...args) => agents.execute(...args)),
      cancel: behind((...args) => agents.cancel(...args)),
    },
  };
}

const state = (ports: TurnPorts, over: Partial<TurnPorts['state']>): TurnPorts => ({
  ...ports,
  state: { ...ports.state, ...over },
});
const agents = (ports: TurnPorts, over: Partial<TurnPorts['agents']>): TurnPorts => ({
  ...ports,
  agents: { ...ports.agents, ...over },
});

const lost = (name: string) => Promise.reject(new Error(`${name} was never sent`));
const unchanged: Change = (ports) => ports;

const PORT_CHANGES: PortChanges = {
  state: {
    acquire: {
      drop: (ports) => state(ports, { acquire: () => lost('acquire') }),
      duplicate: (ports) =>
        state(ports, { acquire: async (op) => (await ports.state.acquire(op), ports.state.acquire(op)) }),
      swap: unchanged,
      ignore: (ports, memory) =>
        state(ports, {
          acquire: async (op) => remembered(memory, `acquired ${op.runId}`, await ports.state.acquire(op)),
        }),
    },
    append: {
      drop: (ports) => state(ports, { append: (op) => Promise.resolve(asIfAppended(op)) }),
      duplicate: (ports) =>
        state(ports, { append: async (op) => (await ports.state.append(op), ports.state.append(op)) }),
      swap: (ports, memory) =>
        state(releasing(ports, memory), {
          append: (op) => {
            release(memory);
            // The last one of a turn has none behind it.
            if (op.park) return ports.state.append(op);
            held(memory, () => ports.state.append(op));
            return Promise.resolve(asIfAppended(op));
          },
        }),
      ignore: (ports) =>
        state(ports, {
          append: async (op) => {
            await ports.state.append(op);
            return asIfAppended(op);
          },
        }),
    },
    turnFailed: {
      drop: (ports) => state(ports, { turnFailed: () => Promise.resolve() }),
      duplicate: (ports) =>
        state(ports, {
          turnFailed: async (...args) => (await ports.state.turnFailed(...args), ports.state.turnFailed(...args)),
        }),
      swap: unchanged,
      ignore: unchanged,
    },
  },
  agents: {
    instances: {
      drop: (ports) => agents(ports, { instances: () => [] }),
      duplicate: (ports) =>
        agents(ports, { instances: (agent) => (ports.agents.instances(agent), ports.agents.instances(agent)) }),
      swap: unchanged,
      ignore: (ports, memory) =>
        agents(ports, { instances: (agent) => remembered(memory, `at ${agent}`, ports.agents.instances(agent)) }),
    },
    execute: {
      drop: (ports) =>
        agents(ports, {
          execute: () => Promise.resolve({ kind: 'accepted', leaseUntil: ports.clock.now() + EXECUTION_LEASE_MS }),
        }),
      duplicate: (ports) =>
        agents(ports, {
          execute: async (...args) => {
            const first = ports.agents.execute(...args);
            const second = ports.agents.execute(...args);
            await first;
            return second;
          },
        }),
      swap: (ports, memory) =>
        agents(releasing(ports, memory), {
          execute: (...args) => {
            release(memory);
            return new Promise((resolve) => {
              held(memory, () => ports.agents.execute(...args).then(resolve));
              // With none behind it, it goes by itself.
              void Promise.resolve().then(() => release(memory));
            });
          },
        }),
      ignore: (ports) =>
        agents(ports, {
          execute: async (...args) => {
            await ports.agents.execute(...args);
            return { kind: 'unreachable' };
          },
        }),
    },
    cancel: {
      drop: (ports) => agents(ports, { cancel: () => Promise.resolve(true) }),
      duplicate: (ports) =>
        agents(ports, {
          cancel: async (...args) => (await ports.agents.cancel(...args), ports.agents.cancel(...args)),
        }),
      swap: (ports, memory) =>
        agents(releasing(ports, memory), {
          cancel: (...args) => {
            release(memory);
            return new Promise((resolve) => {
              held(memory, () => ports.agents.cancel(...args).then(resolve));
              void Promise.resolve().then(() => release(memory));
            });
          },
        }),
      ignore: (ports) =>
        agents(ports, {
          cancel: async (...args) => {
            await ports.agents.cancel(...args);
            return true;
          },
        }),
    },
  },
  graphs: {
    graph: {
      drop: (ports) => ({ ...ports, graphs: { graph: () => lost('graph') } }),
      duplicate: (ports) => ({
        ...ports,
        graphs: { graph: async (digest) => (await ports.graphs.graph(digest), ports.graphs.graph(digest)) },
      }),
      swap: unchanged,
      ignore: (ports, memory) => ({
        ...ports,
        graphs: { graph: async (digest) => remembered(memory, 'graph', await ports.graphs.graph(digest)) },
      }),
    },
  },
  clock: {
    now: {
      drop: (ports, memory) => ({ ...ports, clock: { now: () => remembered(memory, 'now', ports.clock.now()) } }),
      duplicate: (ports) => ({ ...ports, clock: { now: () => (ports.clock.now(), ports.clock.now()) } }),
      swap: unchanged,
      ignore: (ports) => ({ ...ports, clock: { now: () => 0 } }),
    },
  },
  ids: {
    uuid: {
      drop: (ports) => ({ ...ports, ids: { uuid: () => '00000000-0000-4000-8000-000000000000' } }),
      duplicate: (ports) => ({ ...ports, ids: { uuid: () => (ports.ids.uuid(), ports.ids.uuid()) } }),
      swap: unchanged,
      ignore: (ports, memory) => ({ ...ports, ids: { uuid: () => remembered(memory, 'uuid', ports.ids.uuid()) } }),
    },
  },
};

const ABOUT_CALL: Readonly<Record<Operator, string>> = {
  drop: 'is not made, and taken for made',
  duplicate: 'is made twice',
  swap: 'goes out behind the call that follows it',
  ignore: 'is made, and its answer is not heeded',
};
const ABOUT_EVENT: Readonly<Record<Operator, string>> = {
  drop: 'is decided and not put on record',
  duplicate: 'is put on record twice',
  swap: 'is put on record behind the one that follows it',
  ignore: 'is put on record and not folded',
};

/** What a decision leaves when one type of event is treated like that. */
function eventsChanged(type: RunEventType, operator: Operator): (core: Core) => Core {
  return (core) => ({
    ...core,
    advance: (graph, before, inputs, env) => {
      const whole = core.advance(graph, before, inputs, env);
      const at = whole.events.findIndex((event) => event.type === type);
      if (at < 0) return whole;
      const others = whole.events.filter((event) => event.type !== type);
      switch (operator) {
        case 'drop':
          return { ...whole, events: others };
        case 'duplicate':
          return {
            ...whole,
            events: whole.events.flatMap((event) => (event.type === type ? [event, event] : [event])),
          };
        case 'swap': {
          const [one, next] = whole.events.slice(at, at + 2);
          if (!one || !next) return whole;
          return { ...whole, events: [...whole.events.slice(0, at), next, one, ...whole.events.slice(at + 2)] };
        }
        case 'ignore': {
          const folded = others.reduce((current, event) => evolve(graph, before.runId, current, event), before);
          return { ...whole, state: folded };
        }
      }
    },
  });
}

/** Every type of event there is, from its schema. */
export const EVENT_TYPES: readonly RunEventType[] = RunEvent.options.map((option) => option.shape.type.value);

function portMutants(): GeneratedMutant[] {
  return Object.entries(PORT_CHANGES).flatMap(([port, calls]) =>
    Object.entries(calls as Record<string, Readonly<Record<Operator, Change>>>).flatMap(([call, changes]) =>
      OPERATORS.map((operator): GeneratedMutant => {
        const memory = new Map<string, unknown>();
        return {
          name: `${port}.${call} ${operator}`,
          about: `the call ${port}.${call} ${ABOUT_CALL[operator]}`,
          flaw: {
            ports: (ports) => changes[operator](ports, memory),
            forget: () => memory.clear(),
          },
        };
      }),
    ),
  );
}

/** All mutants that the ports and the transition table give, without anybody's choice. */
export function generatedMutants(): GeneratedMutant[] {
  const events = EVENT_TYPES.flatMap((type) =>
    OPERATORS.map((operator): GeneratedMutant => ({
      name: `${type} ${operator}`,
      about: `the event ${type} ${ABOUT_EVENT[operator]}`,
      flaw: { core: eventsChanged(type, operator) },
    })),
  );
  return [...portMutants(), ...events];
}
