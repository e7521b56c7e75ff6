import type { Home } from './supervisor/home.js';

/** What a command may see and touch: handed in, so that commands run in tests as they do in a terminal. */
export interface CliContext {
  readonly home: Home;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** How the user calls this program, for the hints it gives. */
  readonly self: string;
  readonly out: Output;
  readonly err: Output;
  readonly readStdin: () => Promise<string>;
  /** Asks whoever sits at the terminal; anything but yes is no. */
  readonly confirm: (question: string) => Promise<boolean>;
  /** Called when the command is over, however it ended. */
  readonly atEnd: (cleanUp: () => Promise<void>) => void;
  /** Aborted by the first Ctrl-C. */
  readonly interrupted: AbortSignal;
}

export interface Output {
  write(text: string): void;
  /** A terminal that can be drawn on. */
  readonly terminal: boolean;
  readonly color: boolean;
  /** Columns of the terminal now; plenty where there is none. */
  readonly columns: number;
  readonly rows: number;
}

/** The exit codes of every command; stable. */
export const EXIT = {
  passed: 0,
  /** Failed or rejected. */
  failed: 1,
  usage: 2,
  needsPerson: 3,
  cancelled: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
