import {
  ApprovalStatus,
  type ApprovalPage,
  type ApprovalQuery,
  type ApprovalRecord,
  type ApprovalVerdict,
} from '@devmesh/contracts/approval';
import { DevmeshError } from '@devmesh/contracts/errors';
import { databaseError } from '../database/database.js';
import type { RunSignals } from '../runs/run-signals.js';
import type { ApprovalsRepository } from './approvals.repository.js';

export interface ApprovalsServiceOptions {
  readonly repository: ApprovalsRepository;
  readonly signals: RunSignals;
  /** Unix ms. */
  readonly now: () => number;
}

/** What people are asked, and what they say. */
export class ApprovalsService {
  constructor(private readonly options: ApprovalsServiceOptions) {}

  async get(id: string): Promise<ApprovalRecord> {
    const approval = await this.options.repository.find(id).catch(rethrow);
    if (approval === null) throw missing(id);
    return approval;
  }

  /** One page, oldest first. */
  async list(query: ApprovalQuery): Promise<ApprovalPage> {
    const items = await this.options.repository
      .list({
        projectId: query.projectId ?? null,
        runId: query.runId ?? null,
        status: query.status ?? null,
        after: query.cursor === undefined ? null : readCursor(query.cursor),
        limit: query.limit + 1,
      })
      .catch(rethrow);
    const page = items.slice(0, query.limit);
    const last = items.length > query.limit ? page.at(-1) : undefined;
    return { items: page, nextCursor: last === undefined ? null : `${Date.parse(last.requestedAt)}.${last.id}` };
  }

  /** Refused as `ApprovalVerdict` says; the same verdict of the same person again answers the record. */
  async decide(id: string, verdict: ApprovalVerdict): Promise<ApprovalRecord> {
    const { repository, signals, now } = this.options;
    const written = await repository.decide(id, verdict, now()).catch(rethrow);
    if (written === null) throw missing(id);
    const { answer, approval, wakeAt } = written;
    if (answer === 'approval_changed')
      throw new DevmeshError(
        'approval_changed',
        `what "${approval.title}" asks has another hash than the one that you saw (${verdict.hash.slice(0, 12)}…); look at it again, then decide`,
      );
    if (answer === 'approval_closed')
      throw new DevmeshError('approval_closed', `"${approval.title}" is not open any more: ${closedBecause(approval)}`);
    if (wakeAt !== null) signals.dueAt(wakeAt);
    return approval;
  }
}

function closedBecause(approval: ApprovalRecord): string {
  switch (approval.status) {
    case ApprovalStatus.enum.approved:
    case ApprovalStatus.enum.rejected:
      return `${approval.decidedBy ?? 'somebody'} ${approval.status} it`;
    case ApprovalStatus.enum.open:
      return `its time was up at ${approval.expiresAt}, or its run is being cancelled`;
    default:
      return approval.status === 'expired' ? 'its time is up' : 'its run went on, or ended, without it';
  }
}

function readCursor(cursor: string): { at: number; id: string } {
  const parts = /^(\d{1,15})\.([0-9a-f-]{36})$/.exec(cursor);
  if (!parts) throw new DevmeshError('invalid_request', 'the cursor is not one that a page gave; leave it out');
  return { at: Number(parts[1]), id: parts[2] ?? '' };
}

function missing(id: string): DevmeshError {
  return new DevmeshError('not_found', `there is no approval ${id}`);
}

function rethrow(error: unknown): never {
  throw databaseError(error);
}
