import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppendOp, CreateOp } from '@devmesh/contracts/state-api';
import { ArtifactStore } from '../artifacts/artifact.store.js';
import { ArtifactsRepository } from '../artifacts/artifacts.repository.js';
import { ArtifactsService } from '../artifacts/artifacts.service.js';
import { ArtifactCollectorRepository } from '../retention/artifact-collector.repository.js';
import { RetentionRepository, type Pruned } from '../retention/retention.repository.js';
import { RetentionService, uploadGraceMs, type RetentionPolicy } from '../retention/retention.service.js';
import { appendOp, createOp, type StateFixture } from './state.fixture.js';

export const DAY = 24 * 3600_000;

export const POLICY: RetentionPolicy = { keepMs: 30 * DAY, keepRuns: null, artifactGraceMs: DAY, batchRuns: 50 };

/** How long an artifact is kept that nothing refers to yet. */
export const UPLOAD_GRACE = uploadGraceMs(POLICY.artifactGraceMs);

export interface RetentionFixture {
  readonly artifacts: ArtifactsService;
  readonly store: ArtifactStore;
  readonly collector: ArtifactCollectorRepository;
  readonly collected: { artifacts: number; bytes: number };
  /** Called with each digest before its file is removed; may wait, or throw. */
  beforeRemoval: (digest: string) => Promise<void>;
  retention(policy?: Partial<RetentionPolicy>, onPruned?: (pruned: Pruned) => void): RetentionService;
  upload(content?: Buffer): Promise<string>;
  /** Digests whose file is there. */
  files(): Promise<string[]>;
  /** When artifacts are looked at, Unix ms, by digest. */
  times(): Promise<Map<string, number | null>>;
  close(): Promise<void>;
}

/** Retention over a database of tests, and a store of files of its own. */
export async function createRetentionFixture(fixture: StateFixture): Promise<RetentionFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'retention-'));
  const store = new ArtifactStore({ folder, maxBytes: 10_000 });
  await store.prepare(0);
  const now = (): number => fixture.clock.now;
  const { db } = fixture;
  const collector = new ArtifactCollectorRepository(db);
  const artifacts = new ArtifactsService({
    store,
    repository: new ArtifactsRepository(db),
    uploadGraceMs: UPLOAD_GRACE,
    now,
  });
  const collected = { artifacts: 0, bytes: 0 };
  const made: RetentionFixture = {
    artifacts,
    store,
    collector,
    collected,
    beforeRemoval: () => Promise.resolve(),
    retention: (policy, onPruned) =>
      new RetentionService({
        repository: new RetentionRepository(db),
        collector,
        removeFile: async (digest) => {
          await made.beforeRemoval(digest);
          await store.remove(digest);
        },
        policy: { ...POLICY, ...policy },
        now,
        onCollected: (some) => {
          collected.artifacts += some.artifacts;
          collected.bytes += some.bytes;
        },
        ...(onPruned && { onPruned }),
      }),
    upload: async (content = randomBytes(20)) => {
      const digest = createHash('sha256').update(content).digest('hex');
      await artifacts.put(digest, [content] as unknown as AsyncIterable<Uint8Array>);
      return digest;
    },
    files: async () => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) =>
          join(entry.parentPath, entry.name)
            .slice(folder.length + 1)
            .replace('/', ''),
        )
        .sort();
    },
    times: async () => {
      const rows = await db.read<{ digest: string; collect_at: Date | null }>({
        name: 'test-artifact-times',
        text: 'select digest, collect_at from artifacts',
        values: [],
      });
      return new Map(rows.map((row) => [row.digest, row.collect_at?.getTime() ?? null]));
    },
    close: () => rm(folder, { recursive: true }),
  };
  return made;
}

/** What an append says of an artifact. */
export function naming(...digests: readonly string[]): Pick<AppendOp, 'artifacts'> {
  return {
    artifacts: digests.map((digest) => ({
      digest,
      name: 'report.md',
      mediaType: 'text/markdown',
      size: 20,
      step: 'only',
      iteration: 1,
    })),
  };
}

/** The repository of a run that is built on these bundles. */
export function builtOn(...bundles: readonly string[]): Pick<CreateOp, 'repository'> {
  const commit = 'c'.repeat(40);
  return {
    repository: { ref: { bundles: [...bundles], commit, base: commit, shallow: [] }, origin: 'here', notices: [] },
  };
}

/** A run that has one event and is in its owner's hands. */
export async function ownedRun(
  fixture: StateFixture,
  over: Partial<CreateOp> = {},
): Promise<{ runId: string; epoch: number }> {
  const { runId } = await fixture.one(createOp(over), 'created');
  const { epoch } = await fixture.one({ op: 'acquire', runId, owner: 'a' }, 'acquired');
  return { runId, epoch };
}

/** A run that has ended now, with two events and so much more. */
export async function endedRun(
  fixture: StateFixture,
  over: Partial<CreateOp> = {},
  append: Partial<AppendOp> = {},
): Promise<string> {
  const { runId, epoch } = await ownedRun(fixture, over);
  const ended = { verdict: 'passed', reason: 'all well' } as const;
  await fixture.one(appendOp(runId, epoch, { ended, wakeAt: null, park: true, ...append }), 'appended');
  return runId;
}
