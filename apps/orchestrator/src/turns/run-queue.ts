import type { RunId } from '@devmesh/contracts/ids';
import { ConfigError } from '@devmesh/service-kit/config/read-config';
import { createPostgresBackend, Queue, withBackend, Worker } from 'bullmq';
import type { OrchestratorConfig } from '../config.js';

const OnPostgres = withBackend(createPostgresBackend);

/** A job says which run wants a turn, and nothing else: what is to be done is in the run's events. */
interface Job {
  readonly runId: RunId;
}

/** A run that wants a turn. The job is the same for the same lease; a higher priority, -100 to 100, is taken first. */
export interface QueuedTurn {
  readonly runId: RunId;
  readonly lease: number;
  readonly priority: number;
}

/** Where the queue is kept: in a schema of PostgreSQL, with a role that sees only that, or in Redis or Valkey. */
export type QueuePlace =
  | { readonly kind: 'postgres'; readonly connectionString: string; readonly schema: string }
  | { readonly kind: 'redis'; readonly url: string };

export interface RunQueueOptions {
  readonly place: QueuePlace;
  /** Turns at once in this process. */
  readonly concurrency: number;
  readonly onError: (error: Error) => void;
}

/** Where the configuration wants the queue; Redis when it names one. Throws when it names none. */
export function queuePlace(
  config: Pick<OrchestratorConfig, 'queueDatabaseUrl' | 'queueRedisUrl' | 'queueSchema'>,
): QueuePlace {
  const { queueDatabaseUrl, queueRedisUrl, queueSchema } = config;
  if (queueRedisUrl !== undefined) return { kind: 'redis', url: queueRedisUrl };
  if (queueDatabaseUrl === undefined)
    throw new ConfigError('orchestrator', [
      'the queue has no place: set DEVMESH_QUEUE_DATABASE_URL, or DEVMESH_QUEUE_REDIS_URL',
    ]);
  return { kind: 'postgres', connectionString: queueDatabaseUrl, schema: queueSchema };
}

const QUEUE = 'runs';
/** Of the names of keys in Redis. */
const PREFIX = 'devmesh';
/** Connections of the pool; BullMQ's listener takes one of its own. */
const POOL = 4;
/** Without a sign of life for this long, a worker's jobs go to another, ms. */
const LOCK_MS = 5_000;
const STALLED_CHECK_MS = 2_500;

/** BullMQ takes 1 first and 2 after it. */
const FIRST_PRIORITY = 1;
const HIGHEST = 100;

type Process = (runId: RunId, addedAt: number) => Promise<void>;

/** What is used of BullMQ's classes; their types name what they are kept in. */
type Jobs = Pick<Queue<Job>, 'addBulk' | 'getJobCountByTypes' | 'waitUntilReady' | 'close'>;
type Taker = Pick<Worker<Job>, 'run' | 'waitUntilReady' | 'close'>;

/**
 * The one queue: hints that a run wants a turn. Losing jobs, or all of it, loses nothing (docs/engine.md): the wake times
 * in state-persistence are the truth.
 */
export class RunQueue {
  private constructor(
    private readonly queue: Jobs,
    private readonly worker: Taker,
  ) {}

  /**
   * Opens the queue and starts to take jobs; `process` is told since when the job was there, Unix ms. Rejects when the database
   * can't be reached.
   */
  static async open(options: RunQueueOptions, process: Process): Promise<RunQueue> {
    const queue = new RunQueue(...openIn(options, process));
    await queue.queue.waitUntilReady();
    await queue.worker.waitUntilReady();
    void queue.worker.run().catch(options.onError);
    return queue;
  }

  /** Adds a job for each, unless one for this lease of the run is there. */
  async add(runs: readonly QueuedTurn[]): Promise<void> {
    if (runs.length === 0) return;
    await this.queue.addBulk(
      runs.map(({ runId, lease, priority }) => ({
        name: 'turn',
        data: { runId },
        opts: { jobId: `${runId}-${lease}`, priority: FIRST_PRIORITY + HIGHEST - priority },
      })),
    );
  }

  /** Jobs that wait for a worker. */
  depth(): Promise<number> {
    return this.queue.getJobCountByTypes('waiting', 'prioritized');
  }

  /** Takes no more jobs, and resolves when the turns under way have ended. */
  async drain(): Promise<void> {
    await this.worker.close();
  }

  async close(): Promise<void> {
    await this.worker.close(true);
    await this.queue.close();
  }
}

function openIn({ place, concurrency, onError }: RunQueueOptions, process: Process): [Jobs, Taker] {
  const ofQueue = { defaultJobOptions: { removeOnComplete: true, removeOnFail: true, attempts: 1 } };
  const ofWorker = {
    autorun: false,
    concurrency,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_CHECK_MS,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  };
  const work = (job: { readonly data: Job; readonly timestamp: number }) => process(job.data.runId, job.timestamp);
  if (place.kind === 'postgres') {
    const { connectionString, schema } = place;
    const connection = { connectionString, schema, max: POOL, migrate: true };
    const queue = new OnPostgres.Queue<Job>(QUEUE, { connection, ...ofQueue }).on('error', onError);
    return [queue, new OnPostgres.Worker<Job>(QUEUE, work, { connection, ...ofWorker }).on('error', onError)];
  }
  const connection = { url: place.url, maxRetriesPerRequest: null };
  // What can't be added now is not kept for later: the wake time brings it again.
  const adding = { ...connection, enableOfflineQueue: false, maxRetriesPerRequest: 1 };
  const queue = new Queue<Job>(QUEUE, { connection: adding, prefix: PREFIX, ...ofQueue }).on('error', onError);
  return [queue, new Worker<Job>(QUEUE, work, { connection, prefix: PREFIX, ...ofWorker }).on('error', onError)];
}
