import type { ApprovalVerdict } from '@devmesh/contracts/approval';
import type { EffectClaim, EffectClaimReply, EffectResult } from '@devmesh/contracts/effect';
import type { InboxRow } from '@devmesh/contracts/event';
import { DevmeshError } from '@devmesh/contracts/errors';
import type {
  BatchOp,
  BatchResult,
  ClaimReply,
  ClaimRequest,
  ClaimResult,
  DueRun,
  Heartbeats,
  InboxPost,
  InboxPosted,
} from '@devmesh/contracts/state-api';
import { StateStore } from '@devmesh/engine/simulator/state-store';
import type { StateFixture } from './state.fixture.js';

/** What both the model and the service promise, as one suite asks for it. */
export interface StatePort {
  batch(ops: readonly BatchOp[]): Promise<BatchResult[]>;
  post(runId: string, post: InboxPost): Promise<InboxPosted | 'not_found'>;
  due(limit: number, leaseMs: number): Promise<DueRun[]>;
  recover(owner: string): Promise<number>;
  turnFailed(runId: string, epoch: number | null): Promise<{ failures: number; stuck: boolean }>;
  claim(request: ClaimRequest): Promise<ClaimReply | 'barred'>;
  record(result: ClaimResult): Promise<'recorded' | 'conflict'>;
  heartbeat(heartbeats: Heartbeats): Promise<string[]>;
  verdict(approvalId: string, verdict: ApprovalVerdict): Promise<VerdictCode>;
  approvalStatus(approvalId: string): Promise<string | undefined>;
  claimEffect(claim: EffectClaim): Promise<EffectClaimReply>;
  recordEffect(result: EffectResult): Promise<'recorded' | 'conflict'>;
  look(runId: string): Promise<Look | undefined>;
}

export type VerdictCode = 'taken' | 'not_found' | 'approval_closed' | 'approval_changed';

export interface Look {
  readonly status: string;
  readonly wakeAt: number | null;
  readonly inTurn: boolean;
  readonly epoch: number;
  readonly events: number;
  readonly unread: number;
}

export function modelPort(clock: { now: number }): StatePort {
  const store = new StateStore();
  return {
    batch: async (ops) => store.batch(ops, clock.now),
    post: async (runId, post) => {
      const posted = store.post(runId, post, clock.now);
      return 'result' in posted ? 'not_found' : posted;
    },
    due: async (limit, leaseMs) => store.due(limit, leaseMs, clock.now),
    recover: async (owner) => store.recover(owner, clock.now),
    turnFailed: async (runId, epoch) => store.turnFailed(runId, clock.now, epoch),
    claim: async (request) => store.claim(request, clock.now),
    record: async (result) => store.record(result),
    heartbeat: async (heartbeats) => store.heartbeat(heartbeats, clock.now),
    verdict: async (id, verdict) => {
      const answer = store.verdict(id, verdict, clock.now);
      return answer === 'accepted' || answer === 'again' ? 'taken' : answer;
    },
    approvalStatus: async (id) => store.ledger.approvalStatus(id),
    claimEffect: async (claim) => store.claimEffect(claim, clock.now),
    recordEffect: async (result) => store.recordEffect(result),
    look: async (runId) => {
      const run = store.look(runId);
      return (
        run && {
          status: run.status,
          wakeAt: run.wakeAt,
          inTurn: run.inTurn,
          epoch: run.epoch,
          events: run.events.length,
          unread: run.unread,
        }
      );
    },
  };
}

export function servicePort({ state, db }: StateFixture): StatePort {
  return {
    batch: (ops) => state.batch.run(ops),
    post: (runId, post) => state.inbox.post(runId, post).catch((error: unknown) => codeOf(error, 'not_found')),
    due: (limit, leaseMs) => state.due.poll({ limit, leaseMs, waitMs: 0 }),
    recover: (owner) => state.due.recover(owner),
    turnFailed: (runId, epoch) => state.due.turnFailed(runId, epoch, 'boom'),
    claim: async (request) => {
      try {
        return await state.executions.claim(request);
      } catch (error) {
        codeOf(error, 'execution_cancelled');
        return 'barred';
      }
    },
    record: async (result) => {
      try {
        await state.executions.recordOutcome(result);
        return 'recorded';
      } catch (error) {
        return codeOf(error, 'conflict');
      }
    },
    heartbeat: (heartbeats) => state.executions.heartbeat(heartbeats),
    verdict: async (id, verdict) => {
      try {
        await state.approvals.decide(id, verdict);
        return 'taken';
      } catch (error) {
        if (!(error instanceof DevmeshError)) throw error;
        return error.code as VerdictCode;
      }
    },
    approvalStatus: async (id) => (await state.approvals.get(id).catch(() => undefined))?.status,
    claimEffect: (claim) => state.effects.claim(claim),
    recordEffect: async (result) => {
      try {
        await state.effects.record(result);
        return 'recorded';
      } catch (error) {
        return codeOf(error, 'conflict');
      }
    },
    look: async (runId) => {
      const [row] = await db.read<{
        status: string;
        wake_at: Date | null;
        epoch: number;
        events: number;
        unread: number;
        in_turn: boolean;
        rows: number;
      }>({
        name: 'test-look',
        text: `select status, wake_at, in_turn, epoch, unread,
          (select count(*)::int from run_events e where e.run_id = h.run_id) as events,
          (select count(*)::int from inbox i where i.run_id = h.run_id and not consumed) as rows
          from run_heads h where run_id = $1::uuid`,
        values: [runId],
      });
      if (row === undefined) return undefined;
      if (row.rows !== row.unread) throw new Error(`the head counts ${row.unread} unread rows, there are ${row.rows}`);
      return {
        status: row.status,
        wakeAt: row.wake_at?.getTime() ?? null,
        inTurn: row.in_turn,
        epoch: row.epoch,
        events: row.events,
        unread: row.unread,
      };
    },
  };
}

function codeOf<C extends string>(error: unknown, code: C): C {
  if (error instanceof DevmeshError && error.code === code) return code;
  throw error;
}

/** An answer without what may differ between two ports: texts and the ids of rows. */
export function comparable(result: BatchResult): unknown {
  switch (result.result) {
    case 'refused':
      return { result: 'refused', code: result.code };
    case 'appended':
      return { ...result, inbox: result.inbox.map(withoutId) };
    case 'acquired':
      return {
        ...result,
        inbox: result.inbox.map(withoutId),
        leases: [...result.leases].sort((a, b) => (a.key < b.key ? -1 : 1)),
      };
    default:
      return result;
  }
}

function withoutId({ dedupeKey, message }: InboxRow): unknown {
  return { dedupeKey, message };
}
