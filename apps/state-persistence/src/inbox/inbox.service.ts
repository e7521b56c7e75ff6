import { DevmeshError } from '@devmesh/contracts/errors';
import type { InboxPost, InboxPosted } from '@devmesh/contracts/state-api';
import { databaseError } from '../database/database.js';
import type { RunSignals } from '../runs/run-signals.js';
import type { InboxRepository } from './inbox.repository.js';

export interface InboxServiceOptions {
  readonly repository: InboxRepository;
  readonly signals: RunSignals;
  /** Unix ms. */
  readonly now: () => number;
}

/** Takes what others tell a run, and wakes who waits for it. */
export class InboxService {
  constructor(private readonly options: InboxServiceOptions) {}

  async post(runId: string, { dedupeKey, message }: InboxPost): Promise<InboxPosted> {
    const { repository, signals, now } = this.options;
    const posted = await repository.post(runId, dedupeKey, message, now()).catch((error: unknown) => {
      throw databaseError(error);
    });
    if (posted === null) throw new DevmeshError('not_found', `there is no run ${runId}`);
    if (posted.accepted && posted.wakeAt !== null) signals.dueAt(posted.wakeAt);
    return { accepted: posted.accepted, ended: posted.ended };
  }
}
