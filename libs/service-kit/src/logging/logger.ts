import { isSpanContextValid, trace } from '@opentelemetry/api';
import { createLogger as createWinston, format, transports, type Logger as Winston } from 'winston';
import { workContext } from '../context/request-context.js';
import { GatheredOutput } from './gathered-output.js';
import { redact, redactText } from './redact.js';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
export type LogFields = Readonly<Record<string, unknown>>;

export interface LoggerOptions {
  readonly service: string;
  readonly level: LogLevel;
  /** Where the lines go; default: standard output, lines that come close to each other together. */
  readonly stream?: NodeJS.WritableStream;
  readonly now?: () => Date;
}

const MESSAGE = Symbol.for('message');

/**
 * One JSON object a line: time, service, level, message, then runId, step, traceId and spanId of the work under way, then the
 * fields. Secrets are replaced in all of it.
 */
export class Logger {
  readonly #winston: Winston;
  readonly #fields: LogFields;
  readonly #output: GatheredOutput | undefined;

  private constructor(winston: Winston, fields: LogFields, output: GatheredOutput | undefined) {
    this.#winston = winston;
    this.#fields = fields;
    this.#output = output;
  }

  static create(options: LoggerOptions): Logger {
    const now = options.now ?? (() => new Date());
    const line = format((info) => {
      const { level, message, ...fields } = info;
      const { runId, step } = workContext();
      const span = trace.getActiveSpan()?.spanContext();
      const traced = span !== undefined && isSpanContextValid(span);
      const entry = {
        time: now().toISOString(),
        service: options.service,
        level,
        message: redactText(String(message)),
        ...(runId === undefined ? {} : { runId }),
        ...(step === undefined ? {} : { step }),
        ...(traced ? { traceId: span.traceId, spanId: span.spanId } : {}),
        ...(redact(fields) as object),
      };
      info[MESSAGE] = JSON.stringify(entry);
      return info;
    });
    const stream = options.stream ?? new GatheredOutput();
    const winston = createWinston({
      level: options.level,
      format: line(),
      transports: [new transports.Stream({ stream })],
    });
    return new Logger(winston, {}, stream instanceof GatheredOutput ? stream : undefined);
  }

  /** A logger that adds these fields to every line. */
  with(fields: LogFields): Logger {
    return new Logger(this.#winston, { ...this.#fields, ...fields }, this.#output);
  }

  isEnabled(level: LogLevel): boolean {
    return this.#winston.isLevelEnabled(level);
  }

  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, fields);
  }

  #write(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (!this.#winston.isLevelEnabled(level)) return;
    // Members named like the line's own would overwrite them in winston.
    const { level: _level, message: _message, ...rest } = { ...this.#fields, ...fields };
    this.#winston.log({ ...rest, level, message });
    if (level === 'error' || level === 'warn') this.#output?.flush();
  }
}
