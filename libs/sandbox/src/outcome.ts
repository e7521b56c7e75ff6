/** What a command may use at most, all its processes together. */
export interface SandboxLimits {
  /** From the start of the command to its end, ms. */
  readonly wallMs: number;
  /** Processor time, seconds. */
  readonly cpuSeconds: number;
  /** Memory in use, bytes; files that it writes are counted by `diskBytes`. */
  readonly memoryBytes: number;
  /** Processes and threads at once. */
  readonly processes: number;
  /** Output and errors together, bytes. */
  readonly outputBytes: number;
  /** The work copy, and the same once more for temporary files, bytes. They lie in memory. */
  readonly diskBytes: number;
}

const MIB = 1024 ** 2;

/** Enough for the tests of most repositories, and bearable for a machine of 4 GB. */
export const DEFAULT_LIMITS: SandboxLimits = {
  wallMs: 120_000,
  cpuSeconds: 240,
  memoryBytes: 1536 * MIB,
  processes: 256,
  outputBytes: 16 * MIB,
  diskBytes: 512 * MIB,
};

/** Why there is no sandbox here, and what helps. */
export interface Unavailable {
  readonly kind: 'unavailable';
  readonly why: string;
  readonly cure: string;
}

interface Ran {
  /** The end of what it wrote, output and errors as they came; at most `OUTPUT_KEPT` bytes. Not masked. */
  readonly output: string;
  readonly elapsedMs: number;
}

/** How a command in the sandbox ended. All its processes are gone by then. */
export type SandboxOutcome =
  /** By itself; of one that a signal ended, 128 and the number of the signal. */
  | ({ readonly kind: 'exited'; readonly exitCode: number } & Ran)
  | ({ readonly kind: 'timed_out'; readonly limit: 'wall' | 'cpu' } & Ran)
  | ({ readonly kind: 'out_of_memory' } & Ran)
  | ({ readonly kind: 'output_limit' } & Ran)
  /** It made more files than the work copy may have. A full disk ends nothing: the command is told so. */
  | ({ readonly kind: 'too_many_files' } & Ran)
  | Unavailable;

export const OUTPUT_KEPT = 64 * 1024;
