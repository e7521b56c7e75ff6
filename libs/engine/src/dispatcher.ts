import type { AgentName, ExecutionKey, UnixMs } from '@devmesh/contracts/ids';
import type { Command, Input } from '@devmesh/workflow/advance';
import { definitionOf, type Graph } from '@devmesh/workflow/graph';
import type { Mailbox } from './mailbox.js';
import type { AgentPort, ClockPort, DispatchAnswer } from './ports.js';
import type { TurnTimes } from './turn-times.js';

type Execute = Extract<Command, { kind: 'execute' }>;
type Cancel = Extract<Command, { kind: 'cancel' }>;

/**
 * Sends the commands of a committed state, each once in a turn, and puts what they come to into the mailbox. Nothing but
 * this calls the agent port.
 */
export class Dispatcher {
  private readonly sent = new Set<string>();
  private readonly asked = new Map<ExecutionKey, UnixMs>();
  private outstanding = 0;
  /** An agent has seen a later epoch. */
  isStale = false;

  constructor(
    private readonly graph: Graph,
    private readonly epoch: number,
    private readonly agents: AgentPort,
    private readonly clock: ClockPort,
    private readonly mailbox: Mailbox,
    private readonly times: TurnTimes,
    /** Executions that an agent vouches for until then; they are not sent again. */
    leases: readonly { readonly key: ExecutionKey; readonly leaseUntil: UnixMs }[],
  ) {
    for (const lease of leases) this.asked.set(lease.key, lease.leaseUntil);
  }

  get isIdle(): boolean {
    return this.outstanding === 0;
  }

  /** Commands of the state that this turn has not sent yet. */
  due(commands: readonly Command[]): Command[] {
    const now = this.clock.now();
    return commands.filter(
      (command) =>
        !this.sent.has(idOf(command)) && (command.kind === 'cancel' || (this.asked.get(command.key) ?? 0) <= now),
    );
  }

  /** Sends these; each is answered by exactly one input, so a turn that waits for one never waits in vain. */
  send(commands: readonly Command[], acknowledge: readonly ExecutionKey[]): void {
    for (const command of commands) {
      this.sent.add(idOf(command));
      this.outstanding++;
      const answer = command.kind === 'execute' ? this.execute(command, acknowledge) : this.cancel(command);
      answer.then(
        (input) => {
          this.outstanding--;
          this.mailbox.put(input);
        },
        // The port promises never to reject. When it does all the same, the turn fails, visibly, instead of waiting for ever.
        (error: unknown) => this.mailbox.fail(error),
      );
    }
  }

  /** When to look again at what this turn has sent and not heard of, per key, Unix ms. */
  lookAgain(commands: readonly Command[]): UnixMs[] {
    const soon = this.clock.now() + this.times.retryMs;
    return commands.map((command) =>
      command.kind === 'cancel' ? soon : Math.max(this.asked.get(command.key) ?? soon, this.clock.now() + 1),
    );
  }

  private agentOf(key: ExecutionKey): AgentName {
    const step = key.split('/')[1] ?? '';
    return definitionOf(this.graph, step)?.agent ?? '';
  }

  private async execute(command: Execute, acknowledge: readonly ExecutionKey[]): Promise<Input> {
    const { key, instance, action, input, rework, notAfter, consent } = command;
    const request = {
      key,
      action,
      epoch: this.epoch,
      instance,
      notAfter,
      input,
      rework,
      acknowledge: [...acknowledge],
      ...(consent === null ? {} : { approval: consent }),
    };
    return this.read(command, await this.agents.execute(this.agentOf(key), request, this.times.waitMs));
  }

  private read({ key, instance }: Execute, answer: DispatchAnswer): Input {
    switch (answer.kind) {
      case 'outcome':
        return { kind: 'result', key, outcome: answer.outcome };
      case 'refused':
        return { kind: 'result', key, outcome: { kind: 'failed', error: answer.error } };
      case 'gone':
        return { kind: 'gone', key, instance };
      case 'accepted':
        this.asked.set(key, answer.leaseUntil);
        return { kind: 'wake' };
      case 'held':
        this.asked.set(key, this.clock.now() + answer.retryAfterMs);
        return { kind: 'wake' };
      case 'unreachable':
        this.asked.set(key, this.clock.now() + this.times.retryMs);
        return { kind: 'wake' };
      case 'stale':
        this.isStale = true;
        return { kind: 'wake' };
    }
  }

  private async cancel({ key, instance }: Cancel): Promise<Input> {
    const stopped = await this.agents.cancel(this.agentOf(key), instance, key, this.epoch);
    return stopped ? { kind: 'stopped', key } : { kind: 'wake' };
  }
}

function idOf(command: Command): string {
  return `${command.kind} ${command.key} ${command.instance}`;
}
