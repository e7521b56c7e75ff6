import type { ExecutionRequest } from '@devmesh/contracts/execution';
import type { UnixMs } from '@devmesh/contracts/ids';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { DispatchAnswer } from '../ports.js';

/** What an execution comes to, and how long its body takes, ms. Deterministic by key. */
export type Script = (request: ExecutionRequest) => { readonly outcome: Outcome; readonly takesMs: number };

/** One execution of an agent. `doneAt` is null while nobody can say when it will be over. */
export interface SimExecution {
  readonly request: ExecutionRequest;
  doneAt: UnixMs | null;
  outcome: Outcome | null;
  /** Nothing was started after all: what whoever asks is told. */
  refusal: DispatchAnswer | null;
  /** Someone was told "accepted", so the outcome goes to the inbox. */
  accepted: boolean;
  posted: boolean;
  /** It was told to stop, and has not yet. */
  stopped: boolean;
}
