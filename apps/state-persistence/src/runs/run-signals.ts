/**
 * Wakes long polls in this process when something they wait for was committed. Only a shortcut: what another instance
 * commits is found by looking again from time to time.
 *
 * Listen first, look second, wait last: then nothing that is committed in between is missed.
 */
export class RunSignals {
  private readonly pollers = new Set<Listener>();
  private readonly watchers = new Map<string, Set<Listener>>();

  /** `now`: the clock by which wake times are told, Unix ms. */
  constructor(private readonly now: () => number = Date.now) {}

  /**
   * A run's wake time was set to `at`, Unix ms. Pollers look again then, not before: most runs are taken in hand, and their
   * wake times moved, before they are due.
   */
  dueAt(at: number): void {
    for (const poller of this.pollers) poller.wakeAt(at);
  }

  /** A run has new events, or its executions' progress changed. */
  changed(runId: string): void {
    for (const watcher of this.watchers.get(runId) ?? []) watcher.wakeAt(-Infinity);
  }

  listenForDue(): Listener {
    const listener = new Listener(this.now, () => this.pollers.delete(listener));
    this.pollers.add(listener);
    return listener;
  }

  listenForRun(runId: string): Listener {
    const watchers = this.watchers.get(runId) ?? new Set();
    const listener = new Listener(this.now, () => {
      watchers.delete(listener);
      if (watchers.size === 0 && this.watchers.get(runId) === watchers) this.watchers.delete(runId);
    });
    this.watchers.set(runId, watchers.add(listener));
    return listener;
  }
}

/** One wait of one long poll. */
export class Listener {
  private at = Infinity;
  private timer: NodeJS.Timeout | undefined;
  private resolve: (() => void) | undefined;

  constructor(
    private readonly now: () => number,
    private readonly forget: () => void,
  ) {}

  /** Ends the wait at this time, Unix ms, if it would go on longer; also a wait that has not begun. */
  wakeAt(at: number): void {
    if (at >= this.at) return;
    this.at = at;
    if (this.resolve !== undefined) this.schedule(this.resolve);
  }

  /** Waits `ms` at most, less when woken, not at all once `signal` has fired. The listener is used up then. */
  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    this.wakeAt(this.now() + ms);
    try {
      if (signal?.aborted === true) return;
      await new Promise<void>((resolve) => {
        const abort = (): void => this.wakeAt(-Infinity);
        signal?.addEventListener('abort', abort, { once: true });
        this.resolve = () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        };
        this.schedule(this.resolve);
      });
    } finally {
      this.close();
    }
  }

  close(): void {
    clearTimeout(this.timer);
    this.resolve = undefined;
    this.forget();
  }

  private schedule(resolve: () => void): void {
    clearTimeout(this.timer);
    const left = this.at - this.now();
    if (left <= 0) resolve();
    else this.timer = setTimeout(resolve, left);
  }
}
