import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { FILE_BUDGET_MS, type FileOutcome } from './file-review.js';
import type { FromProcess, ToProcess } from './review-process.js';
import type { TreeFile } from './walk.js';

/** Files that are handed to a process ahead of the one that it is at. */
const AHEAD = 3;
/** Fewest files for which one more process is worth its start. */
const FILES_PER_PROCESS = 60;
/** How long a process waits for another review before it is ended, in ms. */
const IDLE_MS = 30_000;
/** A process that uses no CPU either is ended after so many times what it may use. */
const MAX_WAITS = 30;
/** Heap of one process, in MiB, and what of it new objects may fill: nearly all of them are gone when their file is done. */
const HEAP_MIB = 256;
const NURSERY_MIB = 32;
/** Starting one takes some hundred ms; this is for machines on their knees. */
const START_MS = 120_000;

export interface ReviewPoolOptions {
  /** Most processes for one review; by default one for each core. */
  readonly processes?: number;
  /** After so many ms of CPU without an answer a file counts as hanging; by default five times what the rules may take. */
  readonly hangMs?: number;
  /** What the processes run; for tests. */
  readonly entry?: URL;
}

interface Work {
  readonly files: readonly TreeFile[];
  readonly fileBudgetMs: number | undefined;
  /**
   * Paths that are still to be handed out, a run of neighbours for each process: they import the same files, which each process reads for
   * itself.
   */
  readonly due: readonly string[][];
  readonly crashed: Set<string>;
  readonly settle: (path: string, outcome: FileOutcome) => void;
}

/**
 * Processes that review files. Not threads: the parsers are native code, which can neither be interrupted nor crash alone in a
 * thread. They start when there is work, wait a while for more, and keep nobody's process alive.
 */
export class ReviewPool {
  readonly #processes: number;
  readonly #hangMs: number;
  readonly #entry: URL;
  readonly #idle = new Map<ChildProcess, NodeJS.Timeout>();
  readonly #busy = new Set<ChildProcess>();
  /** One that was started ahead, and that no review has taken. */
  #coming: Promise<ChildProcess | undefined> | undefined;
  #closed = false;
  // One that hangs would not notice that its parent has gone.
  readonly #onExit = (): void => this.close();

  constructor(options: ReviewPoolOptions = {}) {
    this.#processes = options.processes ?? availableParallelism();
    this.#hangMs = options.hangMs ?? 5 * FILE_BUDGET_MS;
    // `.ts` where the sources themselves run.
    const end = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
    process.on('exit', this.#onExit);
    this.#entry = options.entry ?? new URL(`./review-process.main${end}`, import.meta.url);
  }

  /** Starts a process for a review that is to come, where none is there: while a tree is fetched, say. What fails, `review` will tell. */
  warm(): void {
    if (this.#closed || this.#idle.size + this.#busy.size > 0 || this.#coming) return;
    const coming = this.#start(new AbortController().signal).catch(() => undefined);
    this.#coming = coming;
    void coming.then((child) => {
      if (this.#coming !== coming) return;
      this.#coming = undefined;
      if (child) this.#release(child);
    });
  }

  /**
   * Reviews `due`, some files of a tree, and settles each of them once. A file that hangs or crashes its process (twice) is settled as
   * lost, with the reason. Throws the signal's reason, or when a process can't be started at all.
   */
  async review(
    files: readonly TreeFile[],
    due: readonly TreeFile[],
    settle: (path: string, outcome: FileOutcome) => void,
    { signal, fileBudgetMs }: { signal?: AbortSignal; fileBudgetMs?: number } = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    const count = Math.min(this.#processes, Math.ceil(due.length / FILES_PER_PROCESS));
    const paths = due.map(({ path }) => path);
    const start = (lane: number): number => Math.floor((paths.length * lane) / count);
    const shares = Array.from({ length: count }, (_, lane) => paths.slice(start(lane), start(lane + 1)));
    const work: Work = { files, fileBudgetMs, due: shares, crashed: new Set(), settle };
    const stop = new AbortController();
    const stopped = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    const lanes = shares.map((share) => this.#lane(work, share, stopped));
    try {
      await Promise.all(lanes);
    } catch (error) {
      stop.abort();
      await Promise.allSettled(lanes);
      throw error;
    }
  }

  /** Ends the processes; what is under way fails. */
  close(): void {
    this.#closed = true;
    process.off('exit', this.#onExit);
    for (const [child, timer] of this.#idle) {
      clearTimeout(timer);
      child.kill('SIGKILL');
    }
    for (const child of this.#busy) child.kill('SIGKILL');
  }

  /** One process after the other, as long as there is work. */
  async #lane(work: Work, share: string[], signal: AbortSignal): Promise<void> {
    while (work.due.some(({ length }) => length > 0)) {
      signal.throwIfAborted();
      if (this.#closed) throw new Error('the processes of the review were ended');
      const child = await this.#take(signal);
      this.#busy.add(child);
      try {
        if (await this.#feed(child, work, share, signal)) this.#release(child);
      } finally {
        this.#busy.delete(child);
      }
    }
  }

  /** Feeds a process until nothing is left; false when it ended before. */
  #feed(child: ChildProcess, work: Work, share: string[], signal: AbortSignal): Promise<boolean> {
    const inFlight: string[] = [];
    let reason: string | undefined;
    let timer: NodeJS.Timeout | undefined;
    const watchNext = (): void => {
      clearTimeout(timer);
      if (inFlight.length === 0) return;
      const from = cpuMs(child);
      const since = performance.now();
      const look = (): void => {
        // On a busy machine a file may only have been waiting for its turn.
        const used = cpuMs(child) - from;
        const waited = performance.now() - since;
        if (used < this.#hangMs && waited < MAX_WAITS * this.#hangMs) {
          timer = setTimeout(look, this.#hangMs);
          return;
        }
        reason = `it was ended: no answer after ${this.#hangMs / 1000} s of CPU`;
        child.kill('SIGKILL');
      };
      timer = setTimeout(look, this.#hangMs);
    };
    const handOut = (): void => {
      while (inFlight.length <= AHEAD) {
        const path = nextOf(share, work);
        if (path === undefined) return;
        inFlight.push(path);
        say(child, { type: 'review', path });
      }
    };
    return new Promise<boolean>((resolve, reject) => {
      const finish = (how: () => void): void => {
        clearTimeout(timer);
        child.off('message', onMessage).off('exit', onExit);
        signal.removeEventListener('abort', onAbort);
        how();
      };
      const onAbort = (): void => {
        child.kill('SIGKILL');
        finish(() => reject(signal.reason));
      };
      const onMessage = (message: FromProcess): void => {
        if (message.type !== 'done' || inFlight[0] !== message.path) return;
        inFlight.shift();
        handOut();
        watchNext();
        work.settle(message.path, message.outcome);
        if (inFlight.length === 0) finish(() => resolve(true));
      };
      const onExit = (code: number | null, killed: NodeJS.Signals | null): void => {
        const [culprit, ...others] = inFlight;
        share.unshift(...others);
        if (culprit !== undefined) {
          // It may have been the last straw only: once more, in a fresh process.
          if (reason === undefined && !this.#closed && !work.crashed.has(culprit)) {
            work.crashed.add(culprit);
            share.unshift(culprit);
          } else work.settle(culprit, { lost: reason ?? `it ended its process twice (${killed ?? `exit ${code}`})` });
        }
        finish(() => resolve(false));
      };
      child.on('message', onMessage).on('exit', onExit);
      signal.addEventListener('abort', onAbort);
      say(child, { type: 'tree', files: work.files, fileBudgetMs: work.fileBudgetMs });
      handOut();
      watchNext();
      if (inFlight.length === 0) finish(() => resolve(true));
    });
  }

  async #take(signal: AbortSignal): Promise<ChildProcess> {
    for (const [child, timer] of this.#idle) {
      clearTimeout(timer);
      this.#idle.delete(child);
      if (!child.connected) continue;
      child.ref();
      child.channel?.ref();
      return child;
    }
    const coming = this.#coming;
    this.#coming = undefined;
    const child = await coming;
    if (child && signal.aborted) this.#release(child);
    signal.throwIfAborted();
    return child ?? this.#start(signal);
  }

  #release(child: ChildProcess): void {
    if (this.#closed || this.#idle.size >= this.#processes) {
      child.kill('SIGKILL');
      return;
    }
    child.unref();
    child.channel?.unref();
    const timer = setTimeout(() => {
      this.#idle.delete(child);
      child.kill('SIGKILL');
    }, IDLE_MS);
    timer.unref();
    this.#idle.set(child, timer);
  }

  #start(signal: AbortSignal): Promise<ChildProcess> {
    const child = fork(this.#entry, {
      execArgv: [
        `--max-old-space-size=${HEAP_MIB}`,
        `--max-semi-space-size=${NURSERY_MIB}`,
        ...(this.#entry.pathname.endsWith('.ts') ? SOURCE_FLAGS : []),
      ],
      // Nothing of the environment is for a process that reads strangers' code.
      env: {},
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    return new Promise((resolve, reject) => {
      const finish = (how: () => void): void => {
        clearTimeout(timer);
        child.removeAllListeners();
        signal.removeEventListener('abort', onAbort);
        how();
      };
      const onAbort = (): void => {
        child.kill('SIGKILL');
        finish(() => reject(signal.reason));
      };
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        finish(() => reject(new Error(`a process of the review did not start within ${START_MS / 1000} s`)));
      }, START_MS);
      signal.addEventListener('abort', onAbort);
      child.on('error', (cause) =>
        finish(() => reject(new Error('a process of the review could not be started', { cause }))),
      );
      child.on('exit', (code, killed) =>
        finish(() => reject(new Error(`a process of the review ended while it started (${killed ?? `exit ${code}`})`))),
      );
      child.on('message', () => finish(() => resolve(child)));
    });
  }
}

/** The next path of a share; one that is empty takes over the later half of the longest. */
function nextOf(share: string[], { due }: Work): string | undefined {
  if (share.length === 0) {
    const longest = due.reduce((a, b) => (b.length > a.length ? b : a));
    share.push(...longest.splice(Math.floor(longest.length / 2)));
  }
  return share.shift();
}

/** CPU time of a process so far, in ms, where the system tells it; else as if it had never waited. */
function cpuMs({ pid }: ChildProcess): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return performance.now();
  }
}

/** Flags with which node runs this library's sources. */
const SOURCE_FLAGS = [
  '--disable-warning=ExperimentalWarning',
  '--experimental-transform-types',
  '--conditions=source',
  `--import=${new URL('../testing/source-hooks.ts', import.meta.url).href}`,
];

function say(child: ChildProcess, message: ToProcess): void {
  // A process that has just ended is noticed by its exit.
  if (child.connected) child.send(message, () => undefined);
}
