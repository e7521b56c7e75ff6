/** One place where a service answers. */
export interface Instance {
  /** Base URL without a slash at its end. */
  readonly address: string;
  /** Its incarnation, where discovery knows it. */
  readonly instance: string | null;
}

/** How long an address that refused a connection is passed over, ms; doubles while it goes on, up to the bound. */
const EJECT_MS = 1_000;
const MAX_EJECT_MS = 15_000;

interface Place {
  outstanding: number;
  ejections: number;
  ejectedUntil: number;
}

/** Picks the instance with the fewest calls under way, passing over addresses that refused a connection lately. */
export class InstancePool {
  readonly #now: () => number;
  readonly #places = new Map<string, Place>();
  #turn = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Undefined only when there is none. When all were passed over, the one that has waited longest is tried: it may be back. */
  pick(instances: readonly Instance[]): Instance | undefined {
    const [first] = instances;
    if (instances.length <= 1) return first;
    const now = this.#now();
    const open = instances.filter((instance) => (this.#places.get(instance.address)?.ejectedUntil ?? 0) <= now);
    if (open.length === 0) return least(instances, (instance) => this.#place(instance.address).ejectedUntil);
    // Equal ones take turns.
    this.#turn = (this.#turn + 1) % open.length;
    const turned = [...open.slice(this.#turn), ...open.slice(0, this.#turn)];
    return least(turned, (instance) => this.#place(instance.address).outstanding);
  }

  /** Counts a call as under way. */
  begin(address: string): void {
    this.#place(address).outstanding += 1;
  }

  /** `refused`: nobody listened there. */
  end(address: string, refused: boolean): void {
    const place = this.#place(address);
    place.outstanding -= 1;
    if (!refused) {
      place.ejections = 0;
      place.ejectedUntil = 0;
      return;
    }
    place.ejectedUntil = this.#now() + Math.min(MAX_EJECT_MS, EJECT_MS * 2 ** place.ejections);
    place.ejections = Math.min(place.ejections + 1, 10);
  }

  /** Discovery says that these pass their checks: a new incarnation at an address closes the gap at once. */
  passing(addresses: Iterable<string>): void {
    for (const address of addresses) {
      const place = this.#places.get(address);
      if (place !== undefined) place.ejectedUntil = 0;
    }
  }

  #place(address: string): Place {
    let place = this.#places.get(address);
    if (place === undefined) {
      place = { outstanding: 0, ejections: 0, ejectedUntil: 0 };
      this.#places.set(address, place);
    }
    return place;
  }
}

function least<T>(items: readonly T[], measure: (item: T) => number): T | undefined {
  let best: T | undefined;
  let bestValue = Infinity;
  for (const item of items) {
    const value = measure(item);
    if (value < bestValue) {
      best = item;
      bestValue = value;
    }
  }
  return best;
}
