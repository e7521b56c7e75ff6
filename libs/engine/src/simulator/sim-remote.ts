import type { ExecutionKey } from '@devmesh/contracts/ids';
import type { EffectKey } from '@devmesh/contracts/effect';

/** An act that changed the world outside. */
export interface Act {
  readonly key: EffectKey;
  readonly intent: string;
  readonly execution: ExecutionKey;
}

/**
 * The world outside, as one that refuses a second act: whoever acts says what they expect to find, as a push with a lease does, or a
 * forge that takes one pull request for a head.
 */
export class SimRemote {
  private readonly there = new Map<EffectKey, string>();
  readonly acts: Act[] = [];

  constructor(private readonly onAct: (act: Act) => void) {}

  act(act: Act, expected: string | null): 'done' | 'refused' {
    if ((this.there.get(act.key) ?? null) !== expected) return 'refused';
    this.there.set(act.key, act.intent);
    this.acts.push(act);
    this.onAct(act);
    return 'done';
  }

  look(key: EffectKey): string | null {
    return this.there.get(key) ?? null;
  }
}
