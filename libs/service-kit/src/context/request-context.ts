import { AsyncLocalStorage } from 'node:async_hooks';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';

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
export function withWorkContext<T>(added: WorkContext, work: () => T): T {
  const present = storage.getStore();
  return storage.run(present === undefined ? added : { ...present, ...added }, work);
}

/** Runs `work` outside of any context and any trace: for timers and loops that no single request is the reason of. */
export function withoutWorkContext<T>(work: () => T): T {
  return context.with(ROOT_CONTEXT, () => storage.run(NOTHING, work));
}
