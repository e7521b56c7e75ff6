import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { padEnd, plain } from '../output/text.js';
import { shortId } from '../output/run-lines.js';
import { theme } from '../output/theme.js';
import { connect } from './mesh.js';
import { resolveRun } from './runs.js';

export interface LogsOptions {
  readonly follow?: boolean;
  readonly lines: number;
  readonly json?: boolean;
}

interface LogLine {
  readonly source: string;
  /** For the order; of the line before where a line has none. */
  readonly time: string;
  readonly text: string;
}

/** As much of a file as is read for its end, bytes. */
const TAIL_BYTES = 8 * 1024 ** 2;
const POLL_MS = 200;

function timeOf(text: string, before: string): string {
  const found =
    /^\{.*?"time":"([^"]+)"/.exec(text)?.[1] ??
    /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d+) UTC/.exec(text)?.slice(1, 3).join('T');
  return found ?? before;
}

/** Reads a growing file, through its turns: what is complete since the last call, as lines. */
class LogReader {
  readonly source: string;
  readonly #path: string;
  #offset = 0;
  #inode = 0;
  #rest = '';
  #time = '';

  constructor(path: string) {
    this.#path = path;
    this.source = basename(path, '.log');
  }

  async read(): Promise<LogLine[]> {
    const found = await stat(this.#path).catch(() => null);
    if (found === null) return [];
    if (found.ino !== this.#inode || found.size < this.#offset) {
      this.#offset = this.#inode === 0 ? Math.max(0, found.size - TAIL_BYTES) : 0;
      this.#inode = found.ino;
      this.#rest = '';
    }
    if (found.size === this.#offset) return [];
    const handle = await open(this.#path, 'r');
    try {
      const { bytesRead, buffer } = await handle.read(
        Buffer.alloc(found.size - this.#offset),
        0,
        found.size - this.#offset,
        this.#offset,
      );
      this.#offset += bytesRead;
      const lines = (this.#rest + buffer.subarray(0, bytesRead).toString()).split('\n');
      this.#rest = lines.pop() ?? '';
      return lines
        .filter((text) => text !== '')
        .map((text) => {
          this.#time = timeOf(text, this.#time);
          return { source: this.source, time: this.#time, text };
        });
    } finally {
      await handle.close();
    }
  }
}

const SHOWN_APART = new Set(['time', 'level', 'service', 'message', 'traceId', 'spanId', 'pid']);

/** A JSON line as people read it: time, service, level, message, then the rest as name=value. Anything else stays as it is. */
export function logText({ source, text }: Pick<LogLine, 'source' | 'text'>, color: boolean): string {
  const paint = theme(color);
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(text) as Record<string, unknown>;
    if (fields === null || typeof fields !== 'object') throw new Error('not an object');
  } catch {
    return `${paint.dim(padEnd(source, 18))} ${plain(text)}`;
  }
  const word = (name: string): string => {
    const value = fields[name];
    return typeof value === 'string' ? value : '';
  };
  const level = word('level') || 'info';
  const tone = level === 'error' ? paint.bad : level === 'warn' ? paint.warn : paint.dim;
  const rest = Object.entries(shorten(fields))
    .filter(([name]) => !SHOWN_APART.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? plain(value) : JSON.stringify(value)}`);
  return `${paint.dim(word('time').slice(11, 23))} ${padEnd(source, 18)} ${tone(padEnd(level, 5))} ${plain(word('message'))}${rest.length === 0 ? '' : ` ${paint.dim(rest.join(' '))}`}`;
}

/** Runs by their short names, and an execution's key once: the raw lines (`--json`) have all of it. */
function shorten(fields: Record<string, unknown>): Record<string, unknown> {
  const { runId, step, key, ...rest } = fields;
  if (typeof runId !== 'string') return fields;
  const run = shortId(runId);
  if (typeof key === 'string' && key.startsWith(`${runId}/`))
    return { key: `${run}${key.slice(runId.length)}`, ...rest };
  return { run, ...(step === undefined ? {} : { step }), ...(key === undefined ? {} : { key }), ...rest };
}

/** The log of one service, of all, or what all of them say of one run. */
export async function logs(context: CliContext, given: string | undefined, options: LogsOptions): Promise<ExitCode> {
  const { out, home, interrupted } = context;
  const names = (await readdir(home.logs).catch(() => []))
    .filter((name) => name.endsWith('.log'))
    .map((name) => name.slice(0, -4));
  if (names.length === 0)
    throw new DevmeshError('not_found', `there are no logs in ${home.logs}: they begin with ${context.self} up`);
  const service = given === undefined ? undefined : names.find((name) => name === given);
  let run: string | null = null;
  if (given !== undefined && service === undefined) {
    if (!/^[0-9a-f-]{4,36}$/i.test(given) && given !== 'last') {
      throw new DevmeshError(
        'invalid_request',
        `"${given}" is neither a service nor a run: the services are ${names.join(', ')}`,
      );
    }
    run = /^[0-9a-f-]{36}$/i.test(given) ? given.toLowerCase() : await resolveRun((await connect(context)).api, given);
  }
  const readers = (service === undefined ? names : [service]).map(
    (name) => new LogReader(join(home.logs, `${name}.log`)),
  );
  const next = async (): Promise<LogLine[]> =>
    (await Promise.all(readers.map((reader) => reader.read())))
      .flat()
      .filter(({ text }) => run === null || text.includes(run))
      .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  const show = (line: LogLine): void =>
    out.write(`${options.json === true ? asJson(line) : logText(line, out.color)}\n`);

  const first = await next();
  for (const line of run === null ? first.slice(-options.lines) : first) show(line);
  while (options.follow === true && !interrupted.aborted) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      interrupted.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
    for (const line of await next()) show(line);
  }
  return EXIT.passed;
}

/** One JSON object a line, also for lines that aren't. */
function asJson({ source, text }: LogLine): string {
  try {
    const fields: unknown = JSON.parse(text);
    if (fields !== null && typeof fields === 'object') return text;
  } catch {
    // Wrapped below.
  }
  return JSON.stringify({ service: source, message: text });
}
