import type { EffectClaim, EffectClaimReply, EffectRecord, EffectResult } from '@devmesh/contracts/effect';
import { DevmeshError } from '@devmesh/contracts/errors';
import { databaseError } from '../database/database.js';
import type { EffectsRepository } from './effects.repository.js';

/** What reaches the world outside: claimed before the act, on record after it. */
export class EffectsService {
  constructor(
    private readonly repository: EffectsRepository,
    private readonly now: () => number,
  ) {}

  claim(claim: EffectClaim): Promise<EffectClaimReply> {
    return this.repository.claim(claim, this.now()).catch(rethrow);
  }

  /** Throws `conflict` for an instance whose claim was taken over. */
  async record(result: EffectResult): Promise<void> {
    if (!(await this.repository.record(result, this.now()).catch(rethrow)))
      throw new DevmeshError(
        'conflict',
        `the claim of ${result.key} is not held by ${result.instance} for ${result.execution}`,
      );
  }

  list(runId: string): Promise<EffectRecord[]> {
    return this.repository.list(runId).catch(rethrow);
  }
}

function rethrow(error: unknown): never {
  throw databaseError(error);
}
