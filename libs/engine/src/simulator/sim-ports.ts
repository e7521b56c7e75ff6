import type { AgentName, Digest, InstanceId, UnixMs } from '@devmesh/contracts/ids';
import type { AppendOp } from '@devmesh/contracts/state-api';
import type { Graph } from '@devmesh/workflow/graph';
import type { AppendResult, AcquireResult, DispatchAnswer, TurnPorts } from '../ports.js';
import type { Network } from './network.js';
import type { SimAgent } from './sim-agent.js';
import type { StateStore } from './state-store.js';
import type { Witness } from './witness.js';

/** What the ports of a simulated orchestrator lead to. */
export interface SimWorld {
  readonly network: Network;
  readonly store: StateStore;
  readonly witness: Witness;
  graphOf(digest: Digest): Graph;
  readonly agents: ReadonlyMap<AgentName, SimAgent>;
  now(): UnixMs;
  uuid(): string;
  instances(agent: AgentName): readonly InstanceId[];
}

/** How often the state client sends an append before it gives up. */
const APPEND_ATTEMPTS = 3;

/** The ports of one process: every call goes over the simulated network. */
export function simPorts(world: SimWorld, process: string, onTurnFailed: () => void): TurnPorts {
  const { network, store, witness, agents } = world;

  const write = (op: AppendOp): AppendResult => {
    const before = store.look(op.runId);
    const isNew = before && !before.appended(op.appendId);
    const rows = before?.inbox.filter(({ id }) => op.consume.includes(id)) ?? [];
    const reply = store.apply(op, world.now()) as AppendResult;
    if (isNew && reply.result === 'appended') witness.appended(op, rows, reply.parked);
    return reply;
  };

  // A lost append is sent again with its id, as the state client does.
  const append = async (op: AppendOp): Promise<AppendResult> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await network.call(process, 'state', `append ${op.epoch}`, () => write(op));
      } catch (error) {
        if (attempt >= APPEND_ATTEMPTS) throw error;
      }
    }
  };

  return {
    state: {
      acquire: (op) =>
        network.call(
          process,
          'state',
          `acquire ${op.runId.slice(-2)}`,
          () => store.apply(op, world.now()) as AcquireResult,
        ),
      append,
      turnFailed: (runId, epoch) => {
        onTurnFailed();
        store.turnFailed(runId, world.now(), epoch);
        return Promise.resolve();
      },
    },
    agents: {
      instances: (agent) => world.instances(agent),
      execute: (agent, request, waitMs) =>
        network
          .callLater<DispatchAnswer>(process, { agent }, `execute ${request.key.slice(37)}`, () => {
            const target = agents.get(agent);
            if (!target) return { poll: () => ({ value: { kind: 'unreachable' } }) };
            const { poll, gone } = target.execute(request, world.now() + waitMs);
            // The connection breaks with the instance that it led to.
            return { poll: () => (agents.get(agent) === target ? poll() : { value: { kind: 'unreachable' } }), gone };
          })
          .catch((): DispatchAnswer => ({ kind: 'unreachable' })),
      cancel: (agent, instance, key) =>
        network
          .call(process, { agent }, `cancel ${key.slice(37)}`, () => {
            const target = agents.get(agent);
            return target?.instance === instance ? target.cancel(key) : true;
          })
          .catch(() => false),
    },
    graphs: { graph: (digest) => Promise.resolve(world.graphOf(digest)) },
    clock: { now: () => world.now() },
    ids: { uuid: () => world.uuid() },
  };
}
