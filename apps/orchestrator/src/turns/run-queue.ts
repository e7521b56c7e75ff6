import type { RunId } from '@devmesh/contracts/ids';
import { createPostgresBackend, withBackend } from 'bullmq';

const { Queue, Worker } = withBackend(createPostgresBackend);

/** A job says which run wants a turn, and nothing else: what is to be done is in the run's events. */
interface Job {
  readonly runId: RunId;
}

export interface RunQueueOptions {
  /** A role that sees only `schema`. */
  readonly connectionString: string;
  readonly schema: string;
  /** Turns at once in this process. */
  readonly concurrency: number;
  readonly onError: (error: Error) => void;
}

const QUEUE = 'runs';
/** Connections of the pool; BullMQ's listener takes one of its own. */
const POOL = 4;
/** Without a sign of life for this long, a worker's jobs go to another, ms. */
const LOCK_MS = 5_000;
const STALLED_CHECK_MS = 2_500;

/**
 * The one queue: hints that a run wants a turn. Losing jobs, or all of it, loses nothing (docs/engine.md): the wake times
 * in state-persistence are the truth.
 */
export class RunQueue {
  private readonly queue: InstanceType<typeof Queue<Job>>;
  private readonly worker: InstanceType<typeof Worker<Job>>;

  private constructor(options: RunQueueOptions, process: (runId: RunId) => Promise<void>) {
    const connection = { connectionString: options.connectionString, schema: options.schema, max: POOL, migrate: true };
    this.queue = new Queue<Job>(QUEUE, {
      connection,
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true, attempts: 1 },
    });
    this.worker = new Worker<Job>(QUEUE, (job) => process(job.data.runId), {
      connection,
      autorun: false,
      concurrency: options.concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    this.queue.on('error', options.onError);
    this.worker.on('error', options.onError);
  }

  /** Opens the queue and starts to take jobs. Rejects when the database can't be reached. */
  static async open(options: RunQueueOptions, process: (runId: RunId) => Promise<void>): Promise<RunQueue> {
    const queue = new RunQueue(options, process);
    await queue.queue.waitUntilReady();
    await queue.worker.waitUntilReady();
    void queue.worker.run().catch(options.onError);
    return queue;
  }

  /** Adds a job unless one for this lease of the run is there. */
  async add(runs: readonly { readonly runId: RunId; readonly lease: number }[]): Promise<void> {
    const [first] = runs;
    if (first === undefined) return;
    const jobs = runs.map(({ runId, lease }) => ({
      name: 'turn',
      data: { runId },
      opts: { jobId: `${runId}-${lease}` },
    }));
    if (jobs.length === 1)
      await this.queue.add('turn', { runId: first.runId }, { jobId: `${first.runId}-${first.lease}` });
    else await this.queue.addBulk(jobs);
  }

  /** Jobs that wait for a worker. */
  depth(): Promise<number> {
    return this.queue.getWaitingCount();
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
