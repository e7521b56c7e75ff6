/** What the supervisor tells its clients. Both ends come from one build; `protocol` catches a client of another clone. */
export const PROTOCOL = 1;

export type ProcessState =
  /** Not started yet, or stopped on request. */
  | 'stopped'
  | 'starting'
  | 'ready'
  /** Died; started again after a wait. */
  | 'restarting';

export interface ProcessStatus {
  readonly name: string;
  readonly state: ProcessState;
  readonly pid: number | null;
  /** Unix ms of the start of this incarnation. */
  readonly startedAt: number | null;
  /** Deaths in a row; wiped after a quiet minute. */
  readonly restarts: number;
  /** How it died last, e.g. "exit code 1"; null when it never did. */
  readonly lastExit: string | null;
  /** Unix ms of the next start while `restarting`. */
  readonly retryAt: number | null;
  readonly log: string | null;
}

export interface ServiceStatus extends ProcessStatus {
  readonly port: number;
  readonly address: string;
}

export interface DatabaseStatus extends ProcessStatus {
  readonly kind: 'embedded' | 'external';
  /** Host and port, without user and password. */
  readonly address: string;
}

export type MeshPhase = 'starting' | 'ready' | 'stopping' | 'stopped' | 'failed';

export interface MeshError {
  readonly code: string;
  readonly message: string;
}

export interface MeshStatus {
  readonly protocol: typeof PROTOCOL;
  readonly phase: MeshPhase;
  readonly error: MeshError | null;
  readonly pid: number;
  readonly startedAt: number;
  /** Unix ms; null until all services were ready for the first time. */
  readonly readyAt: number | null;
  readonly home: string;
  readonly version: string;
  readonly revision: string | null;
  readonly portBase: number;
  readonly gateway: string;
  readonly database: DatabaseStatus;
  readonly services: readonly ServiceStatus[];
}

/** Where the supervisor of a data folder listens: the content of `run/control.json`. */
export interface ControlAddress {
  readonly socket: string;
  readonly pid: number;
}
