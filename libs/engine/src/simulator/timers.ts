import type { UnixMs } from '@devmesh/contracts/ids';

interface Timer {
  readonly owner: string;
  readonly at: UnixMs;
  readonly fire: () => void;
}

/** What processes of the simulated mesh wait for. Nothing fires by itself: the scheduler decides. */
export class Timers {
  private waiting: Timer[] = [];

  /** Resolves when the scheduler fires it, not before `at`. */
  until(owner: string, at: UnixMs): Promise<void> {
    return new Promise((resolve) => this.waiting.push({ owner, at, fire: resolve }));
  }

  due(now: UnixMs): readonly Timer[] {
    return this.waiting.length === 0 ? this.waiting : this.waiting.filter(({ at }) => at <= now);
  }

  times(): UnixMs[] {
    return this.waiting.map(({ at }) => at);
  }

  fire(timer: Timer): void {
    this.waiting = this.waiting.filter((other) => other !== timer);
    timer.fire();
  }

  /** The process is no more. */
  abandon(owner: string): void {
    this.waiting = this.waiting.filter((timer) => timer.owner !== owner);
  }
}
