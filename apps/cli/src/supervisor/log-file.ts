import { closeSync, existsSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

export interface LogLimits {
  /** A file that would grow past this is turned. */
  readonly maxBytes: number;
  /** Older files kept beside it: `x.log.1` is the newest of them. */
  readonly keep: number;
}

export const DEFAULT_LOG_LIMITS: LogLimits = { maxBytes: 10 * 1024 ** 2, keep: 3 };

/**
 * A log that never outgrows its limits. Writes are synchronous: what a process said last is on file even when the supervisor
 * dies in the same moment. A full disk loses lines, never the supervisor.
 */
export class LogFile {
  readonly path: string;
  readonly #limits: LogLimits;
  #fd: number;
  #size: number;

  constructor(path: string, limits: LogLimits = DEFAULT_LOG_LIMITS) {
    this.path = path;
    this.#limits = limits;
    this.#fd = openSync(path, 'a', 0o600);
    this.#size = fstatSync(this.#fd).size;
  }

  write(chunk: Buffer | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    try {
      if (this.#size > 0 && this.#size + bytes.length > this.#limits.maxBytes) this.#turn();
      writeSync(this.#fd, bytes);
      this.#size += bytes.length;
    } catch {
      // No place to say so.
    }
  }

  #turn(): void {
    for (let i = this.#limits.keep; i >= 1; i--) {
      const older = i === 1 ? this.path : `${this.path}.${i - 1}`;
      if (existsSync(older)) renameSync(older, `${this.path}.${i}`);
    }
    closeSync(this.#fd);
    this.#fd = openSync(this.path, 'a', 0o600);
    this.#size = 0;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
