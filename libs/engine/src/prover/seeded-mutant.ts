import type { Flaw } from '../simulator/scenarios.js';

/** A mesh that somebody broke on purpose. */
export interface SeededMutant {
  readonly name: string;
  readonly flaw: Flaw;
  /** What it must be found by: one that is found for another reason shows nothing. */
  readonly found: RegExp;
}
