import type { Logger } from '../logging/logger.js';

export interface ProcessEndOptions {
  readonly logger: Logger;
  /** Ends the service within the given time, ms. */
  readonly end: (boundMs: number) => Promise<void>;
  readonly drainMs: number;
  /** Whether the process belongs to a supervisor that holds the other end of its standard input. */
  readonly parentPipe: boolean;
}

/** A process whose supervisor is gone has this long, ms: nobody waits for it, and its successor wants the port. */
const ORPHAN_MS = 1_000;
/** How often a process looks whether its supervisor still is its parent, ms: another may hold the pipe open. */
const PARENT_CHECK_MS = 1_000;

/**
 * Ends the process in order on SIGTERM and SIGINT, and when its supervisor dies. A second signal ends it at once. The exit
 * code is 0 for an orderly end.
 */
export function endWithSignals({ logger, end, drainMs, parentPipe }: ProcessEndOptions): void {
  let asked = false;
  const stop = (why: string, boundMs: number): void => {
    if (asked) process.exit(1);
    asked = true;
    logger.info('shutting down', { why });
    // The phases keep their bound by themselves; this is for a loop that blocks.
    setTimeout(() => process.exit(1), boundMs + 1_000).unref();
    void end(boundMs).finally(() => process.exit(0));
  };
  process.on('SIGTERM', () => stop('SIGTERM', drainMs));
  process.on('SIGINT', () => stop('SIGINT', drainMs));
  if (!parentPipe) return;
  const orphaned = (): void => {
    if (!asked) stop('the supervisor is gone', Math.min(drainMs, ORPHAN_MS));
  };
  if (process.channel !== undefined && process.channel !== null) process.on('disconnect', orphaned);
  process.stdin.on('end', orphaned).on('close', orphaned).on('error', orphaned).resume();
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) orphaned();
  }, PARENT_CHECK_MS).unref();
  // Whoever read the log is gone as well: a line that cannot be written must not end the process out of order.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);
}
