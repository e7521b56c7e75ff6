/** A call that broke: whether it arrived, nobody knows. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** A call under way between two parts of the simulated mesh. */
export interface Call {
  readonly id: number;
  /** The process that waits for the answer. */
  readonly caller: string;
  readonly name: string;
  stage: 'requested' | 'applied';
  apply(): void;
  /** False while the callee has no answer yet. */
  canAnswer(): boolean;
  answer(): void;
  break(): void;
  /** Not before this does the request arrive, Unix ms. */
  readonly arrivesAt: number;
  /** The caller hears that it broke, and the request arrives all the same, not before then. */
  delay(until: number): void;
  /** The request arrives once more, not before then. */
  echo(until: number): void;
}

/**
 * Calls in flight. Nothing happens by itself: the scheduler decides when a request arrives, when an answer does, and which
 * of the two gets lost.
 */
export class Network {
  readonly calls: Call[] = [];
  private nextId = 1;

  /** A call whose effect at the callee gives the answer at once. */
  call<T>(caller: string, name: string, effect: () => T): Promise<T> {
    return this.callLater(caller, name, () => {
      const value = effect();
      return () => ({ value });
    });
  }

  /** A call whose answer may come later: `effect` gives a poll that answers undefined until it is there. */
  callLater<T>(caller: string, name: string, effect: () => () => { readonly value: T } | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let poll: (() => { readonly value: T } | undefined) | undefined;
      const call: Call = {
        id: this.nextId++,
        caller,
        name,
        stage: 'requested',
        apply: () => {
          poll = effect();
          call.stage = 'applied';
        },
        canAnswer: () => poll?.() !== undefined,
        answer: () => {
          const reply = poll?.();
          this.remove(call);
          if (reply) resolve(reply.value);
        },
        break: () => {
          this.remove(call);
          reject(new ConnectionLost(`${name} broke`));
        },
        arrivesAt: 0,
        delay: (until) => {
          this.remove(call);
          this.orphan(name, effect, until);
          reject(new ConnectionLost(`${name} broke`));
        },
        echo: (until) => this.orphan(name, effect, until),
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
    }
  }

  /** A request on the wire that nobody waits for. */
  private orphan(name: string, effect: () => unknown, arrivesAt: number): void {
    const remove = () => this.remove(call);
    const call: Call = {
      id: this.nextId++,
      caller: 'nobody',
      name,
      arrivesAt,
      stage: 'requested',
      apply: () => {
        remove();
        effect();
      },
      canAnswer: () => false,
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
