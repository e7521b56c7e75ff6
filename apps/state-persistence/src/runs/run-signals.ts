/** A sleeper that ends early when it is woken. */
interface Waiter {
  readonly wake: () => void;
}

/**
 * Wakes long polls in this process when something they wait for was committed. Only a shortcut: what another instance
 * commits is found by looking again, at the latest after `LOOK_AGAIN_MS`.
 */
export class RunSignals {
  private readonly pollers = new Set<Waiter & { readonly until: number }>();
  private readonly watchers = new Map<string, Set<Waiter>>();

  /** A run's wake time was set to `at`, Unix ms. */
  dueAt(at: number): void {
    for (const poller of this.pollers) if (at < poller.until) poller.wake();
  }

  /** A run has new events, or its executions' progress changed. */
  changed(runId: string): void {
    for (const watcher of this.watchers.get(runId) ?? []) watcher.wake();
  }

  /** Ends every wait: the service shuts down. */
  wakeAll(): void {
    for (const poller of this.pollers) poller.wake();
    for (const watchers of this.watchers.values()) for (const watcher of watchers) watcher.wake();
  }

  /** Starts to listen for runs that are due before `until`, Unix ms. Listen first, look second, wait last. */
  listenForDue(until: number): Listener {
    return listen((waiter) => {
      const poller = { ...waiter, until };
      this.pollers.add(poller);
      return () => this.pollers.delete(poller);
    });
  }

  listenForRun(runId: string): Listener {
    return listen((waiter) => {
      const watchers = this.watchers.get(runId) ?? new Set();
      this.watchers.set(runId, watchers.add(waiter));
      return () => {
        watchers.delete(waiter);
        if (watchers.size === 0 && this.watchers.get(runId) === watchers) this.watchers.delete(runId);
      };
    });
  }
}

export interface Listener {
  /** Until woken (also if that was before this call), aborted, or `ms` have passed. Then the listener is gone. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  close(): void;
}

function listen(add: (waiter: Waiter) => () => void): Listener {
  let woken = false;
  let resolve: (() => void) | undefined;
  const wake = (): void => {
    woken = true;
    resolve?.();
  };
  const remove = add({ wake });
  return {
    close: remove,
    wait: async (ms, signal) => {
      try {
        if (woken || signal?.aborted === true || ms <= 0) return;
        await new Promise<void>((done) => {
          const end = (): void => {
            clearTimeout(timer);
            signal?.removeEventListener('abort', end);
            done();
          };
          const timer = setTimeout(end, ms);
          signal?.addEventListener('abort', end, { once: true });
          resolve = end;
        });
      } finally {
        remove();
      }
    },
  };
}
