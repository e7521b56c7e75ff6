import { DevmeshError } from '@devmesh/contracts/errors';
import {
  MAX_SEEN_FINDINGS,
  type FindingHistory,
  type FindingPage,
  type FindingRecord,
  type FindingVerdict,
  type RulePrecision,
  type RulePrecisionList,
  type SeenFindings,
} from '@devmesh/contracts/finding-fate';
import type { Digest, RunId } from '@devmesh/contracts/ids';
import { databaseError } from '../database/database.js';
import type { FateCount, FindingOwner, FindingsRepository } from './findings.repository.js';

/** What became of findings, and how often each rule was right. */
export class FindingsService {
  constructor(
    private readonly repository: FindingsRepository,
    private readonly now: () => number,
  ) {}

  async record(runId: RunId, seen: SeenFindings): Promise<void> {
    const owner = await this.#owner(runId);
    if (owner !== null) await this.repository.record(runId, owner, seen, this.now()).catch(rethrow);
  }

  async ofRun(runId: RunId): Promise<FindingPage> {
    const owner = await this.#owner(runId);
    if (owner === null) return { items: [] };
    return { items: await this.repository.ofRun(runId, owner, MAX_SEEN_FINDINGS).catch(rethrow) };
  }

  /** Throws `not_found` when the run's repository has no such finding. */
  async judge(runId: RunId, fingerprint: Digest, verdict: FindingVerdict): Promise<FindingRecord> {
    const owner = await this.#owner(runId);
    const judged = owner && (await this.repository.judge(owner, fingerprint, verdict, this.now()).catch(rethrow));
    if (judged === null)
      throw new DevmeshError('not_found', `the repository of run ${runId} has no finding ${fingerprint} on record`);
    return judged;
  }

  async precision(projectId: string): Promise<RulePrecisionList> {
    return { items: precisionOf(await this.repository.counts(projectId).catch(rethrow)) };
  }

  async history(runId: RunId): Promise<FindingHistory> {
    const owner = await this.#owner(runId);
    if (owner === null) return { precision: [], rejected: [] };
    const [{ items }, rejected] = await Promise.all([
      this.precision(owner.projectId),
      this.repository.rejected(owner).catch(rethrow),
    ]);
    return { precision: items, rejected };
  }

  /** Null for a run without a repository. */
  async #owner(runId: RunId): Promise<FindingOwner | null> {
    const owner = await this.repository.ownerOf(runId).catch(rethrow);
    if (owner === undefined) throw new DevmeshError('not_found', `there is no run ${runId}`);
    return owner;
  }
}

function precisionOf(counts: readonly FateCount[]): RulePrecision[] {
  const none = { open: 0, accepted: 0, fixed: 0, suppressed: 0, confirmed: 0, rejected: 0 };
  const byRule = new Map<string, typeof none>();
  for (const { rule, fate, count } of counts) byRule.set(rule, { ...(byRule.get(rule) ?? none), [fate]: count });
  return [...byRule].map(([rule, fates]) => {
    const right = fates.fixed + fates.confirmed;
    const judged = right + fates.rejected;
    return { rule, ...fates, judged, precision: judged === 0 ? null : right / judged };
  });
}

function rethrow(error: unknown): never {
  throw databaseError(error);
}
