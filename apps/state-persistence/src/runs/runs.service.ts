import { DevmeshError } from '@devmesh/contracts/errors';
import type { SystemLoad } from '@devmesh/contracts/system-status';
import { RunId } from '@devmesh/contracts/ids';
import type { Progress, RunQuery, RunRecord } from '@devmesh/contracts/state-api';
import type { StoredEvent } from '@devmesh/contracts/event';
import { databaseError } from '../database/database.js';
import { LOOK_AGAIN_MS } from '../due/due.service.js';
import type { ExecutionsRepository } from '../executions/executions.repository.js';
import { prunedError } from './pruned.js';
import type { RunSignals } from './run-signals.js';
import type { RunsRepository } from './runs.repository.js';

export interface RunsServiceOptions {
  readonly repository: RunsRepository;
  readonly executions: ExecutionsRepository;
  readonly signals: RunSignals;
  /** Unix ms. */
  readonly now: () => number;
}

export interface RunEvents {
  readonly events: StoredEvent[];
  readonly progress: Progress[];
  readonly ended: boolean;
}

/** Reading runs. */
export class RunsService {
  constructor(private readonly options: RunsServiceOptions) {}

  async get(runId: string): Promise<RunRecord> {
    const run = await this.options.repository.find(runId).catch(rethrow);
    if (run === null) throw new DevmeshError('not_found', `there is no run ${runId}`);
    return run;
  }

  /** How much there is to do. */
  load(): Promise<SystemLoad> {
    return this.options.repository.load(this.options.now()).catch(rethrow);
  }

  /** One page, newest first. The cursor is the id of the page's last run: runs that come meanwhile move nothing. */
  async list(query: RunQuery): Promise<{ items: RunRecord[]; nextCursor: string | null }> {
    const items = await this.options.repository
      .list({
        projectId: query.projectId ?? null,
        status: query.status ?? null,
        before: query.cursor === undefined ? null : readCursor(query.cursor),
        limit: query.limit + 1,
      })
      .catch(rethrow);
    const page = items.slice(0, query.limit);
    const last = items.length > query.limit ? page.at(-1) : undefined;
    return { items: page, nextCursor: last === undefined ? null : writeCursor(last.id) };
  }

  /**
   * Events after `after`; when there are none yet, waits up to `waitMs` for one, for a change of progress, or for the
   * run's end. Throws `gone` when they were pruned.
   */
  async events(
    runId: string,
    query: { after: number; limit: number; waitMs: number },
    signal?: AbortSignal,
  ): Promise<RunEvents> {
    const { repository, executions, signals, now } = this.options;
    const deadline = now() + query.waitMs;
    let shown: string | undefined;
    try {
      for (;;) {
        const listener = signals.listenForRun(runId);
        try {
          const found = await repository.events(runId, query.after, query.limit);
          if (found === null) throw new DevmeshError('not_found', `there is no run ${runId}`);
          if (found.prunedAt !== null) throw prunedError(runId, found.prunedAt);
          const progress = found.ended ? [] : await executions.progress(runId, now());
          const text = JSON.stringify(progress);
          const changed = shown !== undefined && text !== shown;
          shown ??= text;
          const left = deadline - now();
          const ended = found.ended && query.after + found.events.length >= found.lastSeq;
          if (found.events.length > 0 || ended || changed || left <= 0 || signal?.aborted === true) {
            return { events: found.events, progress, ended };
          }
          await listener.wait(Math.min(left, LOOK_AGAIN_MS), signal);
        } finally {
          listener.close();
        }
      }
    } catch (error) {
      throw databaseError(error);
    }
  }
}

function writeCursor(runId: string): string {
  return Buffer.from(runId, 'utf8').toString('base64url');
}

function readCursor(cursor: string): string {
  const parsed = RunId.safeParse(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (parsed.success) return parsed.data;
  throw new DevmeshError('invalid_request', 'the cursor is not one that a page of runs gave; start without one');
}

function rethrow(error: unknown): never {
  throw databaseError(error);
}
