import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { INSIDE, READY_FD } from './bubblewrap.js';
import { cureFor } from './find-bubblewrap.js';
import { OUTPUT_KEPT, type SandboxLimits, type SandboxOutcome } from './outcome.js';
import { filesAt, memoryLeft, usageOf } from './usage.js';

/** How often it is looked at what the command uses, ms. */
const WATCH_MS = 100;
/** A machine with less memory left than this share is not to be brought lower. */
const MEMORY_FLOOR = 0.04;
/** A file in memory takes about a kilobyte beside its content. */
const MAX_FILES = 200_000;
/** A work copy that is not filled by then is given up, ms. */
const READY_MS = 60_000;

/** Why the keeper ended it. */
type Reason = 'wall' | 'cpu' | 'memory' | 'output' | 'files' | 'slow' | 'cancelled';

/** Starts one sandbox, watches what it uses, and ends it when that is too much. */
export class Keeper {
  readonly #child: ChildProcess;
  readonly #limits: SandboxLimits;
  readonly #startedAt = performance.now();
  #readyAt: number | null = null;
  #reason: Reason | null = null;
  #bytes = 0;
  #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor(bwrap: string, args: readonly string[], limits: SandboxLimits) {
    this.#limits = limits;
    // Its first process shows its environment to those inside, so it has none.
    this.#child = spawn(bwrap, args, {
      env: { PATH: '/usr/bin:/bin' },
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => this.#take(chunk));
    const ready = this.#child.stdio[READY_FD] as Readable | undefined;
    ready?.on('data', () => (this.#readyAt = performance.now()));
  }

  /** Waits for the end; rejects with the reason of the signal, when nothing is left of it. */
  async ended(signal: AbortSignal | undefined): Promise<SandboxOutcome> {
    const cancel = () => this.#end('cancelled');
    signal?.addEventListener('abort', cancel, { once: true });
    // One that fired while the sandbox was made tells nobody any more.
    if (signal?.aborted === true) cancel();
    const over = new AbortController();
    const watching = this.#watch(over.signal);
    try {
      const code = await this.#closed();
      signal?.throwIfAborted();
      return this.#outcome(code);
    } finally {
      over.abort();
      signal?.removeEventListener('abort', cancel);
      await watching;
    }
  }

  /** The exit code, once no process holds its output any more. */
  #closed(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => resolve(code ?? -1));
    });
  }

  /** Bubblewrap's end is that of the first process of the namespace, and so of all in it. */
  #end(reason: Reason): void {
    this.#reason ??= reason;
    this.#child.kill('SIGKILL');
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#kept.push(chunk);
    this.#keptBytes += chunk.length;
    while (this.#keptBytes - (this.#kept[0]?.length ?? 0) >= OUTPUT_KEPT)
      this.#keptBytes -= this.#kept.shift()?.length ?? 0;
    if (this.#bytes > this.#limits.outputBytes) this.#end('output');
  }

  async #watch(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      const reason = this.#excess();
      if (reason !== undefined && !over.aborted) this.#end(reason);
      await pause(WATCH_MS, over);
    }
  }

  #excess(): Reason | undefined {
    const { pid } = this.#child;
    if (pid === undefined) return undefined;
    const now = performance.now();
    if (this.#readyAt === null) return now - this.#startedAt > READY_MS ? 'slow' : undefined;
    if (now - this.#readyAt > this.#limits.wallMs) return 'wall';
    const usage = usageOf(pid);
    if (usage.memoryBytes > this.#limits.memoryBytes || memoryLeft() < MEMORY_FLOOR) return 'memory';
    if (usage.cpuSeconds > this.#limits.cpuSeconds) return 'cpu';
    // Behind bubblewrap itself comes the first process of the namespace, which sees what the command sees.
    const [, first] = usage.pids;
    if (first === undefined) return undefined;
    return [INSIDE.work, '/tmp', '/dev/shm'].some((path) => filesAt(first, path) > MAX_FILES) ? 'files' : undefined;
  }

  #outcome(exitCode: number): SandboxOutcome {
    const output = stripVTControlCharacters(Buffer.concat(this.#kept).subarray(-OUTPUT_KEPT).toString());
    if (this.#readyAt === null) {
      const why = this.#reason === 'slow' ? 'the work copy takes too long to fill' : lastLine(output);
      return { kind: 'unavailable', why, cure: cureFor(why) };
    }
    const ran = { output, elapsedMs: Math.round(performance.now() - this.#readyAt) };
    switch (this.#reason) {
      case 'wall':
      case 'cpu':
        return { kind: 'timed_out', limit: this.#reason, ...ran };
      case 'memory':
        return { kind: 'out_of_memory', ...ran };
      case 'output':
        return { kind: 'output_limit', ...ran };
      case 'files':
        return { kind: 'too_many_files', ...ran };
      case 'slow':
      case 'cancelled':
      case null:
        return { kind: 'exited', exitCode, ...ran };
    }
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 300) || 'it ended without a word';
}

function pause(ms: number, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      over.removeEventListener('abort', done);
      resolve();
    }
    over.addEventListener('abort', done);
    if (over.aborted) done();
  });
}
