import type { LoggerService } from '@nestjs/common';
import type { Logger } from './logger.js';

/** Nest's own messages, as lines of the service's log. What Nest says on every start is of interest only when debugging. */
export class NestLogger implements LoggerService {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.#logger.debug(text(message), context(rest));
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.#logger.error(text(message), { ...context(rest), ...(message instanceof Error ? { error: message } : {}) });
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#logger.warn(text(message), context(rest));
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#logger.debug(text(message), context(rest));
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.#logger.debug(text(message), context(rest));
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.error(message, ...rest);
  }
}

function text(message: unknown): string {
  if (message instanceof Error) return message.message;
  return typeof message === 'string' ? message : JSON.stringify(message);
}

/** Nest passes the name of the part that speaks last, and sometimes a stack before it. */
function context(rest: unknown[]): Record<string, unknown> {
  const names = rest.filter((item): item is string => typeof item === 'string');
  const stack = names.find((name) => name.includes('\n    at '));
  const part = names.at(-1);
  return { ...(part === undefined || part === stack ? {} : { part }), ...(stack === undefined ? {} : { stack }) };
}
