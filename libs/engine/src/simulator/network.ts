import type { AgentName, UnixMs } from '@devmesh/contracts/ids';

/** A call that broke: whether it arrived, nobody knows. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** Who is called: the state service, the agent of that name, or the world outside. */
export type Callee = 'state' | 'remote' | { readonly agent: AgentName };

/** What a callee makes of a call: `poll` answers undefined until the answer is there, `gone` hears that nobody waits for it. */
export interface Pending<T> {
  readonly poll: () => { readonly value: T } | undefined;
  readonly gone?: () => void;
}

/** A call under way between two parts of the simulated mesh. */
export interface Call {
  readonly id: number;
  /** The process that waits for the answer. */
  readonly caller: string;
  readonly to: Callee;
  readonly name: string;
  stage: 'requested' | 'applied';
  apply(): void;
  /** False while the callee has no answer yet. */
  canAnswer(): boolean;
  answer(): void;
  /** The callee hears that the caller is no more. */
  forsake(): void;
  break(): void;
  /** Not before this does the request arrive, Unix ms. */
  arrivesAt: UnixMs;
  /** It waits on its way until then, and its caller with it. */
  hold(until: UnixMs): void;
  /** The caller hears that it broke, and the request arrives all the same, not before then. */
  delay(until: UnixMs): void;
  /** The request arrives once more, not before then. */
  echo(until: UnixMs): void;
}

/**
 * Calls in flight. Nothing happens by itself: the scheduler decides when a request arrives, when an answer does, and which
 * of the two gets lost.
 */
export class Network {
  readonly calls: Call[] = [];
  private nextId = 1;

  /** A call whose effect at the callee gives the answer at once. */
  call<T>(caller: string, to: Callee, name: string, effect: () => T): Promise<T> {
    return this.callLater(caller, to, name, () => {
      const value = effect();
      return { poll: () => ({ value }) };
    });
  }

  /** A call whose answer may come later. */
  callLater<T>(caller: string, to: Callee, name: string, effect: () => Pending<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let pending: Pending<T> | undefined;
      const call: Call = {
        id: this.nextId++,
        caller,
        to,
        name,
        stage: 'requested',
        apply: () => {
          pending = effect();
          call.stage = 'applied';
        },
        canAnswer: () => pending?.poll() !== undefined,
        forsake: () => pending?.gone?.(),
        answer: () => {
          const reply = pending?.poll();
          this.remove(call);
          if (reply) resolve(reply.value);
        },
        break: () => {
          this.remove(call);
          reject(new ConnectionLost(`${name} broke`));
        },
        arrivesAt: 0,
        hold: (until) => {
          call.arrivesAt = until;
        },
        delay: (until) => {
          this.remove(call);
          this.orphan(to, name, effect, until);
          reject(new ConnectionLost(`${name} broke`));
        },
        echo: (until) => this.orphan(to, name, effect, until),
      };
      this.calls.push(call);
    });
  }

  /** The process is no more: nobody waits for its answers; requests on the wire may still arrive. */
  abandon(caller: string): void {
    const ofCaller = this.calls.filter((call) => call.caller === caller);
    for (const call of ofCaller) {
      this.remove(call);
      if (call.stage === 'requested') call.echo(0);
      else call.forsake();
    }
  }

  /** A request on the wire that nobody waits for. */
  private orphan(to: Callee, name: string, effect: () => Pending<unknown>, arrivesAt: UnixMs): void {
    const remove = () => this.remove(call);
    const call: Call = {
      id: this.nextId++,
      caller: 'nobody',
      to,
      name,
      arrivesAt,
      stage: 'requested',
      apply: () => {
        remove();
        effect().gone?.();
      },
      canAnswer: () => false,
      forsake: () => undefined,
      hold: (until) => {
        call.arrivesAt = until;
      },
      answer: remove,
      break: remove,
      delay: () => undefined,
      echo: () => undefined,
    };
    this.calls.push(call);
  }

  private remove(call: Call): void {
    const index = this.calls.indexOf(call);
    if (index >= 0) this.calls.splice(index, 1);
  }
}
