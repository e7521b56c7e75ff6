import type { PruneReply, PruneRequest } from '@devmesh/contracts/retention';
import { WORKFLOW_LIMITS } from '@devmesh/contracts/workflow';
import { databaseError } from '../database/database.js';
import type { ArtifactCollectorRepository, Collected } from './artifact-collector.repository.js';
import type { Cutoff, Pruned, RetentionRepository } from './retention.repository.js';

/** For how long things are kept. */
export interface RetentionPolicy {
  /** The detail of a run, after its end, ms. */
  readonly keepMs: number;
  /** The detail of so many ended runs, the newest; null when there may be any number of them. */
  readonly keepRuns: number | null;
  /** An artifact after the last run let go of it, ms. */
  readonly artifactGraceMs: number;
  /** Most runs of a transaction. */
  readonly batchRuns: number;
}

/** Most events of a transaction that prunes, unless a single run has more. */
const BATCH_EVENTS = 5_000;
/** Most artifacts that are looked at in a transaction. */
const BATCH_ARTIFACTS = 100;
/** Most transactions of one request: the reply says when there is more. */
const BATCHES_OF_A_REQUEST = 20;
/** However many runs are kept, the detail of one that has just ended is: somebody may be watching. */
const LATEST_MS = 3600_000;
/** When a file that could not be removed is looked at again, ms. */
const RETRY_MS = 3600_000;
/** After every other id. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * How long an artifact is kept that was uploaded, or asked for, and that no run refers to yet: the longest step may name it
 * at its end.
 */
export function uploadGraceMs(artifactGraceMs: number): number {
  return WORKFLOW_LIMITS.timeoutMs + artifactGraceMs;
}

export interface RetentionServiceOptions {
  readonly repository: RetentionRepository;
  readonly collector: ArtifactCollectorRepository;
  /** Removes the file of an artifact; none is fine too. */
  readonly removeFile: (digest: string) => Promise<void>;
  readonly policy: RetentionPolicy;
  /** Unix ms. */
  readonly now: () => number;
  readonly onPruned?: (pruned: Pruned) => void;
  readonly onCollected?: (collected: Collected) => void;
  readonly onFileLeft?: (digest: string, error: unknown) => void;
}

/** Forgets the detail of old runs, and the artifacts that nothing refers to any more. */
export class RetentionService {
  constructor(private readonly options: RetentionServiceOptions) {}

  /** What is asked for by a person: of one project, and as old as they say. */
  async prune({ projectId, olderThanMs, dryRun }: PruneRequest): Promise<PruneReply> {
    const { repository, now } = this.options;
    const cutoff = { endedAt: Math.max(0, now() - olderThanMs), runId: LAST_ID };
    if (dryRun) return { ...(await repository.count(cutoff, projectId).catch(rethrow)), more: false };
    return this.pruneUpTo(cutoff, projectId, BATCHES_OF_A_REQUEST);
  }

  /** One round of what goes by itself. Ends early, between two transactions, when `signal` fires. */
  async sweep(signal?: AbortSignal): Promise<void> {
    const cutoff = await this.cutoff().catch(rethrow);
    await this.pruneUpTo(cutoff, null, Infinity, signal);
    await this.collect(signal);
  }

  private async cutoff(): Promise<Cutoff> {
    const { repository, policy, now } = this.options;
    const byAge = { endedAt: Math.max(0, now() - policy.keepMs), runId: LAST_ID };
    const beyond = policy.keepRuns === null ? null : await repository.beyond(policy.keepRuns);
    if (beyond === null) return byAge;
    const latest = now() - LATEST_MS;
    const byNumber = beyond.endedAt > latest ? { endedAt: latest, runId: LAST_ID } : beyond;
    return byNumber.endedAt > byAge.endedAt ? byNumber : byAge;
  }

  private async pruneUpTo(
    cutoff: Cutoff,
    projectId: string | null,
    batches: number,
    signal?: AbortSignal,
  ): Promise<PruneReply> {
    const { repository, policy, now, onPruned } = this.options;
    const total = { runs: 0, events: 0 };
    for (let i = 0; i < batches && signal?.aborted !== true; i++) {
      const pruned = await repository
        .prune({
          cutoff,
          projectId,
          maxRuns: policy.batchRuns,
          maxEvents: BATCH_EVENTS,
          collectAt: now() + policy.artifactGraceMs,
          now: now(),
        })
        .catch(rethrow);
      if (pruned.runs === 0) return { ...total, more: false };
      onPruned?.(pruned);
      total.runs += pruned.runs;
      total.events += pruned.events;
    }
    return { ...total, more: true };
  }

  private async collect(signal?: AbortSignal): Promise<void> {
    const { collector, now, onCollected } = this.options;
    for (let looked = BATCH_ARTIFACTS; looked >= BATCH_ARTIFACTS && signal?.aborted !== true;) {
      const batch = { limit: BATCH_ARTIFACTS, now: now(), retryAt: now() + RETRY_MS };
      const result = await collector.collect(batch, (digests) => this.removeFiles(digests)).catch(rethrow);
      looked = result.looked;
      if (result.artifacts > 0) onCollected?.(result);
    }
  }

  /** The digests whose files could not be removed. */
  private async removeFiles(digests: readonly string[]): Promise<ReadonlySet<string>> {
    const left = new Set<string>();
    for (const digest of digests) {
      try {
        await this.options.removeFile(digest);
      } catch (error) {
        left.add(digest);
        this.options.onFileLeft?.(digest, error);
      }
    }
    return left;
  }
}

function rethrow(error: unknown): never {
  throw databaseError(error);
}
