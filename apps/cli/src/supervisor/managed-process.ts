import { spawn, type ChildProcess } from 'node:child_process';
import { DevmeshError } from '@devmesh/contracts/errors';
import { LastWords } from './last-words.js';
import { deathsInARow, restartDelay, type Backoff } from './backoff.js';
import type { LogFile } from './log-file.js';
import type { ProcessState, ProcessStatus } from './protocol.js';
import { signal, type ProcessTable } from './processes.js';

/** How to start one incarnation. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Inherited as descriptors 3, 4, … */
  readonly fds?: readonly number[];
}

export interface ManagedProcessOptions {
  readonly name: string;
  readonly log: LogFile;
  readonly backoff: Backoff;
  readonly table: ProcessTable;
  /** Called before every start, and may fail: that counts as a death. */
  readonly launch: () => Promise<Launch>;
  /** Resolves when this incarnation does its work; rejects, or never settles, when it doesn't. */
  readonly ready: (signal: AbortSignal, child: ChildProcess) => Promise<void>;
  /** Once per incarnation that ended, with or without a restart to come. */
  readonly ended?: () => Promise<void>;
  readonly changed: () => void;
}

/**
 * One child that is to be up until `stop`: started again when it dies, after a wait that doubles. The child holds the read end of
 * a pipe whose other end is ours alone, so it learns of our death from the kernel. It leads a process group, so that what it
 * leaves behind can be ended with it.
 */
export class ManagedProcess {
  readonly #options: ManagedProcessOptions;
  #child: ChildProcess | null = null;
  #state: ProcessState = 'stopped';
  #startedAt: number | null = null;
  #restarts = 0;
  #lastExit: string | null = null;
  #retryAt: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopping = false;
  #gone: Promise<void> = Promise.resolve();
  /** Deaths in a row without having been ready in between. */
  #failedStarts = 0;
  readonly #words = new LastWords();
  readonly #waiters: (() => void)[] = [];

  constructor(options: ManagedProcessOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get state(): ProcessState {
    return this.#state;
  }

  get failedStarts(): number {
    return this.#failedStarts;
  }

  /** Why it is not up, for people: how it ended and the last thing it said. */
  get complaint(): string {
    const words = this.#words.telling;
    return `${this.#lastExit ?? 'it is not ready'}${words === '' ? '' : `; its last words: ${words}`}`;
  }

  status(): ProcessStatus {
    return {
      name: this.#options.name,
      state: this.#state,
      pid: this.#child?.pid ?? null,
      startedAt: this.#startedAt,
      restarts: this.#restarts,
      lastExit: this.#lastExit,
      retryAt: this.#retryAt,
      log: this.#options.log.path,
    };
  }

  start(): void {
    if (this.#stopping || this.#child !== null) return;
    this.#retryAt = null;
    this.#set('starting');
    this.#gone = this.#live();
  }

  async #live(): Promise<void> {
    const { name, log, table, launch, ready } = this.#options;
    const startedAt = Date.now();
    const abort = new AbortController();
    let exit: string;
    try {
      const how = await launch();
      if (this.#stopping) return;
      const child = spawn(how.program, how.args, {
        cwd: how.cwd,
        env: how.env,
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe', ...(how.fds ?? [])],
        ...(how.uid === undefined ? {} : { uid: how.uid }),
        ...(how.gid === undefined ? {} : { gid: how.gid }),
      });
      this.#words.clear();
      this.#child = child;
      this.#startedAt = startedAt;
      const ended = new Promise<string>((resolve) => {
        child.once('error', (error) => resolve(`could not be started: ${error.message}`));
        child.once('exit', (code, by) => resolve(by === null ? `exit code ${code ?? '?'}` : `killed by ${by}`));
      });
      if (child.pid !== undefined) table.add(name, child.pid);
      // A broken pipe is told by the exit, too.
      child.stdin?.on('error', () => {});
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on('data', (chunk: Buffer) => {
          log.write(chunk);
          this.#words.hear(chunk);
        });
      }
      this.#options.changed();
      ready(abort.signal, child).then(
        () => {
          if (this.#child !== child || this.#stopping) return;
          this.#failedStarts = 0;
          this.#set('ready');
        },
        () => {},
      );
      exit = await ended;
      if (child.pid !== undefined) signal(-child.pid, 'SIGKILL');
    } catch (error) {
      exit = `could not be started: ${error instanceof Error ? error.message : String(error)}`;
    }
    abort.abort();
    table.remove(name);
    await this.#options.ended?.().catch(() => {});
    this.#died(exit, Date.now() - startedAt);
  }

  #died(exit: string, livedMs: number): void {
    this.#child = null;
    this.#startedAt = null;
    if (this.#stopping) {
      this.#set('stopped');
      return;
    }
    this.#lastExit = exit;
    this.#failedStarts++;
    this.#restarts = deathsInARow(this.#restarts, livedMs, this.#options.backoff);
    const delay = restartDelay(this.#restarts, this.#options.backoff);
    this.#options.log.write(
      `{"level":"warn","service":"supervisor","message":${JSON.stringify(`${this.name} ended (${exit}); started again in ${delay} ms`)}}\n`,
    );
    this.#retryAt = Date.now() + delay;
    this.#timer = setTimeout(() => this.start(), delay);
    this.#set('restarting');
  }

  /** Resolves when it is ready; rejects when it ended `patience` times in a row without having been. */
  async firstReady(patience: number): Promise<void> {
    while (this.#state !== 'ready') {
      if (this.#failedStarts >= patience) {
        throw new DevmeshError(
          'unavailable',
          `${this.name} does not start: ${this.complaint} (its log: ${this.#options.log.path})`,
        );
      }
      if (this.#stopping) throw new DevmeshError('shutting_down', `${this.name} was stopped before it was ready`);
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** After a quiet minute the past is forgotten; called now and then. */
  forgive(now: number): void {
    if (
      this.#restarts > 0 &&
      this.#state === 'ready' &&
      this.#startedAt !== null &&
      now - this.#startedAt >= this.#options.backoff.quietMs
    ) {
      this.#restarts = 0;
      this.#options.changed();
    }
  }

  /** Asks the child to end, and makes it after `graceMs`. Resolves when it is gone; it is not started again. */
  async stop(graceMs: number, ask: (child: ChildProcess) => void = (child) => child.kill('SIGTERM')): Promise<void> {
    this.#stopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const child = this.#child;
    if (child !== null) {
      ask(child);
      // The end of the pipe asks once more, in the way it would learn of our death.
      const pipe = setTimeout(() => child.stdin?.destroy(), graceMs);
      const force = setTimeout(() => {
        if (child.pid !== undefined) signal(-child.pid, 'SIGKILL');
      }, graceMs + 4_000);
      await this.#gone;
      clearTimeout(pipe);
      clearTimeout(force);
    } else await this.#gone;
    this.#retryAt = null;
    this.#set('stopped');
  }

  #set(state: ProcessState): void {
    this.#state = state;
    for (const wake of this.#waiters.splice(0)) wake();
    this.#options.changed();
  }
}
