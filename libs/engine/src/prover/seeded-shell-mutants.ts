import { executionKey, parseExecutionKey } from '@devmesh/contracts/ids';
import type { AppendOp } from '@devmesh/contracts/state-api';
import type { TurnPorts } from '../ports.js';
import type { Flaw } from '../simulator/scenarios.js';
import type { SeededMutant } from './seeded-mutant.js';

function agents(change: (agents: TurnPorts['agents'], ports: TurnPorts) => Partial<TurnPorts['agents']>): Flaw {
  return { ports: (ports) => ({ ...ports, agents: { ...ports.agents, ...change(ports.agents, ports) } }) };
}

function appending(change: (op: AppendOp, ports: TurnPorts) => AppendOp): Flaw {
  return {
    ports: (ports) => ({ ...ports, state: { ...ports.state, append: (op) => ports.state.append(change(op, ports)) } }),
  };
}

/** Ways in which a turn goes wrong. */
export const SHELL_MUTANTS: readonly SeededMutant[] = [
  {
    name: 'acts before it has written',
    flaw: appending((op, ports) => {
      for (const event of op.events) {
        if (event.type !== 'StepScheduled' || event.instance === null) continue;
        const { key, action, instance, input, rework, deadlineAt } = event;
        const request = {
          key,
          action,
          instance,
          input,
          rework,
          notAfter: deadlineAt,
          epoch: op.epoch,
          acknowledge: [],
        };
        void ports.agents.execute(action.split('/')[0] ?? '', request, 0);
      }
      return op;
    }),
    found: /ran before it was scheduled on record/,
  },
  {
    name: 'raises the attempt while the outcome is unknown',
    flaw: agents((real) => ({
      execute: async (...args) => {
        const answer = await real.execute(...args);
        const error = { code: 'unavailable', message: 'no answer', retryable: true } as const;
        return answer.kind === 'unreachable' ? { kind: 'outcome', outcome: { kind: 'failed', error } } : answer;
      },
    })),
    found: /its body never ran|which its body did not say/,
  },
  {
    name: 'loses the second iteration: agents are asked for the first again',
    flaw: agents((real) => ({
      execute: (agent, request, waitMs) => {
        const { runId, step, attempt } = parseExecutionKey(request.key);
        return real.execute(agent, { ...request, key: executionKey(runId, step, 1, attempt) }, waitMs);
      },
    })),
    found: /its body never ran/,
  },
  {
    name: 'does not deliver cancels to agents',
    flaw: agents(() => ({ cancel: () => Promise.resolve(true) })),
    found: /on record as stopped, and is at work/,
  },
  {
    name: 'goes to another incarnation without saying so',
    flaw: agents((real) => ({
      execute: (agent, request, waitMs) =>
        real.execute(agent, { ...request, instance: real.instances(agent)[0] ?? request.instance }, waitMs),
    })),
    found: /which was never on record for it/,
  },
  {
    name: 'sleeps too long',
    flaw: appending((op) => (op.park && op.wakeAt !== null ? { ...op, wakeAt: op.wakeAt + 3600_000 } : op)),
    found: /sleeps past its next timer|sleeps longer than/,
  },
  {
    name: 'sleeps before it has dispatched',
    flaw: appending((op) => ({ ...op, park: true })),
    found: /sleeps|unread rows|took \d+ ms/,
  },
  {
    name: 'does not say which rows it read',
    flaw: appending((op) => ({ ...op, consume: [] })),
    found: /not over after|did not end/,
  },
  {
    name: 'does not say that the run has ended',
    flaw: appending((op) => ({ ...op, ended: null })),
    found: /not over after|did not end|a turn threw/,
  },
  {
    name: 'opens no approval',
    flaw: appending(({ approvals: _none, ...op }) => op),
    found: /and the core alone|ended as|came out as/,
  },
  {
    name: 'lets the clock come before a verdict that counts',
    flaw: appending(({ ifRead: _none, ...op }) => op),
    found: /expired after its verdict counted/,
  },
  {
    name: 'bars no execution that counts no longer',
    flaw: appending(({ barred: _none, ...op }) => op),
    found: /that counts no longer/,
  },
  {
    name: 'hides the consent from the agent',
    flaw: agents((real) => ({
      execute: (agent, { approval: _none, ...request }, waitMs) => real.execute(agent, request, waitMs),
    })),
    found: /without the consent of/,
  },
];
