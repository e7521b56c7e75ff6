import { TURN_LEASE_MS } from '@devmesh/contracts/state-api';

/** Lengths of a turn's parts, ms. */
export interface TurnTimes {
  /** After this a turn starts nothing more. */
  readonly turnMs: number;
  /** How long a dispatch asks the agent to wait for the outcome. */
  readonly waitMs: number;
  /** Wake time after each append inside the turn: more than `turnMs` and `waitMs` together. */
  readonly leaseMs: number;
  /** How soon to look again after a transport failure, and while an agent has no instance. */
  readonly retryMs: number;
}

export const TURN_TIMES: TurnTimes = { turnMs: 1000, waitMs: 1000, leaseMs: TURN_LEASE_MS, retryMs: 1000 };
