import { AsyncLocalStorage } from 'node:async_hooks';

/** What log lines and outgoing calls know about the work that they belong to. */
export interface WorkContext {
  readonly runId?: string;
  readonly step?: string;
  /** When the caller stops waiting, Unix ms. */
  readonly deadlineAt?: number;
}

const storage = new AsyncLocalStorage<WorkContext>();
const NOTHING: WorkContext = {};

/** The context of the work under way; empty outside of any. */
export function workContext(): WorkContext {
  return storage.getStore() ?? NOTHING;
}

/** Runs `work` with these members laid over the present context. */
export function withWorkContext<T>(context: WorkContext, work: () => T): T {
  const present = storage.getStore();
  return storage.run(present === undefined ? context : { ...present, ...context }, work);
}

/** Runs `work` outside of any context: for work that outlives the request which started it. */
export function withoutWorkContext<T>(work: () => T): T {
  return storage.run(NOTHING, work);
}
