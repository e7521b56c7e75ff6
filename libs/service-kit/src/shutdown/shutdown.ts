import type { Logger } from '../logging/logger.js';

/**
 * The phases of an orderly end, one after the other; what is in a phase runs at once.
 * `leave`: nobody new should come (deregister, stop taking jobs). `drain`: what is under way ends or is parked.
 * `close`: connections and handles. `flush`: what observers still have to hear.
 */
export const SHUTDOWN_PHASES = ['leave', 'drain', 'close', 'flush'] as const;
export type ShutdownPhase = (typeof SHUTDOWN_PHASES)[number];

export interface ShutdownStep {
  readonly name: string;
  readonly phase: ShutdownPhase;
  run(): void | Promise<void>;
}

/** Ends a service in order and within a bound, whatever its parts do. */
export class Shutdown {
  readonly #logger: Logger;
  readonly #controller = new AbortController();
  readonly #steps: ShutdownStep[] = [];
  #ending: Promise<void> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Fires when the shutdown starts: long polls and loops end then. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get started(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Adds a step. A step that fails is logged and stops nothing. */
  add(step: ShutdownStep): void {
    this.#steps.push(step);
  }

  /**
   * Runs the phases. `boundMs` is for all of them together: when it has passed, what still runs is left behind. Calling again
   * gives the shutdown under way.
   */
  run(boundMs: number): Promise<void> {
    this.#ending ??= this.#run(boundMs);
    return this.#ending;
  }

  async #run(boundMs: number): Promise<void> {
    this.#controller.abort();
    let timer: NodeJS.Timeout | undefined;
    const bound = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), boundMs);
    });
    for (const phase of SHUTDOWN_PHASES) {
      const steps = this.#steps.filter((step) => step.phase === phase);
      const open = new Set(steps.map((step) => step.name));
      const work = Promise.all(steps.map((step) => this.#step(step).finally(() => open.delete(step.name))));
      if ((await Promise.race([work, bound])) !== 'late') continue;
      if (open.size > 0)
        this.#logger.warn('shutdown step left behind: it took too long', { phase, steps: [...open], boundMs });
    }
    clearTimeout(timer);
  }

  async #step(step: ShutdownStep): Promise<void> {
    try {
      await step.run();
    } catch (error) {
      this.#logger.error('shutdown step failed', { step: step.name, error });
    }
  }
}
