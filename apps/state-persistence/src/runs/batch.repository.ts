import type { InboxRow, StoredEvent } from '@devmesh/contracts/event';
import type { AppendOp, BatchOp, BatchResult, Lease } from '@devmesh/contracts/state-api';
import type { Database } from '../database/database.js';
import { waveStatement, type Wave, type WaveRow } from './batch.sql.js';

/** What became of an op: its result, and what others in this process may be told. */
export interface Written {
  /** Null: another transaction with the same append id was under way; asked again, the op is answered from record. */
  readonly result: BatchResult | null;
  readonly wakeAt: number | null;
  readonly newEvents: boolean;
  /** Set when this op ended the run; `durationMs` since its creation. */
  readonly ended: { readonly verdict: string; readonly durationMs: number } | null;
}

type Refusal = Extract<BatchResult, { result: 'refused' }>;

/** Writes ops in one transaction of one statement, and reads what their answers need in at most one more. */
export class BatchRepository {
  constructor(private readonly db: Database) {}

  /** Results in the order of `ops`, which have no run, idempotency key or append id in common. */
  async writeWave(ops: readonly BatchOp[], now: number): Promise<Written[]> {
    const wave: Wave = {
      creates: ops.filter((op) => op.op === 'create'),
      acquires: ops.filter((op) => op.op === 'acquire'),
      appends: ops.filter((op) => op.op === 'append'),
    };
    const rows = await this.db.write<WaveRow>(waveStatement(wave, now));
    const rowOf = new Map<BatchOp, WaveRow>();
    const byKind = { create: wave.creates, acquire: wave.acquires, append: wave.appends };
    for (const row of rows) {
      const op = byKind[row.kind][row.i - 1];
      if (op !== undefined) rowOf.set(op, row);
    }
    const [details, repeated] = await Promise.all([
      this.details(ops, rowOf),
      this.repeatedCreates(wave.creates.filter((op) => rowOf.get(op)?.done !== true)),
    ]);
    return ops.map((op) => {
      const row = rowOf.get(op);
      if (row === undefined) throw new Error(`the statement of the batch answered nothing for ${op.op} ${op.runId}`);
      if (op.op === 'create') {
        const result: BatchResult = row.done
          ? {
              result: 'created',
              runId: op.runId,
              fresh: true,
              ...(row.status === 'queued' ? { queued: true } : {}),
              ...(row.epoch === null ? {} : { epoch: row.epoch }),
            }
          : (repeated.get(op.runId) ?? refused('internal', 'the run was neither created nor found'));
        const isDue = row.done && row.status !== 'queued';
        return { result, wakeAt: isDue ? (row.wake_at?.getTime() ?? null) : null, newEvents: false, ended: null };
      }
      if (op.op === 'acquire')
        return { result: acquired(op.runId, row, details), wakeAt: null, newEvents: false, ended: null };
      return {
        result: appended(op, row, details),
        // Whoever got the place of this run is due now.
        wakeAt: row.freed !== null ? now : row.done ? (row.wake_at?.getTime() ?? null) : null,
        newEvents: row.done && op.events.length > 0,
        ended:
          row.done && op.ended !== null
            ? { verdict: op.ended.verdict, durationMs: now - (row.created_at?.getTime() ?? now) }
            : null,
      };
    });
  }

  /**
   * Events, unread rows and leases that the answers need. Read after the commit: an acquire's epoch is then the latest, so
   * no older owner can add an event that this read would miss.
   */
  private async details(ops: readonly BatchOp[], rowOf: ReadonlyMap<BatchOp, WaveRow>): Promise<Details> {
    const acquiredIds: string[] = [];
    const after: number[] = [];
    const unreadIds: string[] = [];
    for (const op of ops) {
      const row = rowOf.get(op);
      if (row === undefined || op.op === 'create') continue;
      if (op.op === 'acquire' && row.done) {
        acquiredIds.push(op.runId);
        after.push(row.checkpoint_seq ?? 0);
      }
      if ((row.done || row.recorded_run !== null) && (row.unread ?? 0) > 0) unreadIds.push(op.runId);
    }
    const details = new Details();
    if (acquiredIds.length > 0) {
      const rows = await this.db.read<DetailRow>({
        name: 'acquired',
        text: ACQUIRED,
        values: [acquiredIds, after, unreadIds],
      });
      for (const row of rows) details.add(row);
    } else if (unreadIds.length > 0) {
      const rows = await this.db.read<DetailRow>({ name: 'unread', text: UNREAD, values: [unreadIds] });
      for (const row of rows) details.add(row);
    }
    return details;
  }

  /** Why creates did not make a run: known run id, known key, missing project or workflow. */
  private async repeatedCreates(
    creates: readonly Extract<BatchOp, { op: 'create' }>[],
  ): Promise<ReadonlyMap<string, BatchResult>> {
    if (creates.length === 0) return new Map();
    const rows = await this.db.read<{
      project_of_run: string | null;
      key_run: string | null;
      key_hash: string | null;
      project: string | null;
      workflow: string | null;
    }>({
      name: 'repeated-creates',
      text: `select r.project_id as project_of_run, k.run_id as key_run, k.request_hash as key_hash,
          p.id as project, w.digest as workflow
        from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) with ordinality as c(run_id, project_id, key, digest, i)
        left join runs r on r.id = c.run_id and r.id = any($1::uuid[])
        left join idempotency_keys k on k.project_id = c.project_id and k.key = c.key and k.key = any($3::text[])
          and k.project_id = any($2::text[])
        left join projects p on p.id = c.project_id
        left join workflows w on w.digest = c.digest and w.digest = any($4::text[])
        order by c.i`,
      values: [
        creates.map((op) => op.runId),
        creates.map((op) => op.projectId),
        creates.map((op) => op.idempotency?.key ?? null),
        creates.map((op) => op.workflow.digest),
      ],
    });
    return new Map(
      creates.map((op, i): [string, BatchResult] => {
        const row = rows[i];
        if (row === undefined) return [op.runId, refused('internal', 'no answer for this create')];
        if (row.key_run !== null) {
          if (row.key_hash === op.idempotency?.requestHash) {
            return [op.runId, { result: 'created', runId: row.key_run, fresh: false }];
          }
          const text = 'this idempotency key was used for another request; use a new key, or send the same request';
          return [op.runId, refused('idempotency_key_reused', text)];
        }
        if (row.project_of_run === op.projectId)
          return [op.runId, { result: 'created', runId: op.runId, fresh: false }];
        if (row.project_of_run !== null) {
          return [op.runId, refused('conflict', `run ${op.runId} belongs to another project; use a new run id`)];
        }
        if (row.project === null) return [op.runId, refused('not_found', `there is no project "${op.projectId}"`)];
        if (row.workflow === null) {
          const text = `there is no workflow with digest ${op.workflow.digest}; store it first (PUT /v1/workflows/:digest)`;
          return [op.runId, refused('not_found', text)];
        }
        // Everything is there now: it was not yet when the statement began.
        return [op.runId, refused('unavailable', `run ${op.runId} was not created; send the same create again`)];
      }),
    );
  }
}

/** Unread rows come in the order in which they arrived. */
const UNREAD = `select 'row' as kind, run_id, id as n, dedupe_key as key, null as instance, message as json, null::timestamptz as until
  from inbox where run_id = any($1::uuid[]) and not consumed order by run_id, id`;

const ACQUIRED = `select 'event' as kind, e.run_id, e.seq::bigint as n, null as key, null as instance, e.event as json, null::timestamptz as until
    from unnest($1::uuid[], $2::int[]) as q(run_id, after) join run_events e on e.run_id = q.run_id and e.seq > q.after and e.run_id = any($1::uuid[])
  union all
  select 'row', i.run_id, i.id, i.dedupe_key, null, i.message, null from inbox i where i.run_id = any($3::uuid[]) and not i.consumed
  union all
  select 'lease', x.run_id, 0, x.key, x.instance, null, x.lease_until from executions x
    where x.run_id = any($1::uuid[]) and x.outcome is null
  order by 1, 2, 3, 4`;

interface DetailRow {
  readonly kind: 'event' | 'row' | 'lease';
  readonly run_id: string;
  readonly n: string;
  readonly key: string | null;
  readonly instance: string | null;
  readonly json: unknown;
  readonly until: Date | null;
}

/** What was read for the answers, by run. */
class Details {
  private readonly events = new Map<string, StoredEvent[]>();
  private readonly inbox = new Map<string, InboxRow[]>();
  private readonly leases = new Map<string, Lease[]>();

  add(row: DetailRow): void {
    switch (row.kind) {
      case 'event':
        return push(this.events, row.run_id, { seq: Number(row.n), event: row.json as StoredEvent['event'] });
      case 'row':
        return push(this.inbox, row.run_id, {
          id: row.n,
          dedupeKey: row.key ?? '',
          message: row.json as InboxRow['message'],
        });
      case 'lease':
        return push(this.leases, row.run_id, {
          key: row.key ?? '',
          instance: row.instance ?? '',
          leaseUntil: row.until?.getTime() ?? 0,
        });
    }
  }

  eventsOf(runId: string): StoredEvent[] {
    return this.events.get(runId) ?? [];
  }
  inboxOf(runId: string): InboxRow[] {
    return this.inbox.get(runId) ?? [];
  }
  leasesOf(runId: string): Lease[] {
    return this.leases.get(runId) ?? [];
  }
}

function acquired(runId: string, row: WaveRow, details: Details): BatchResult {
  if (!row.done || row.status === null || row.epoch === null || row.digest === null) return noRun(runId);
  return {
    result: 'acquired',
    epoch: row.epoch,
    status: row.status,
    workflowDigest: row.digest,
    checkpoint:
      row.checkpoint === null || row.checkpoint_seq === null
        ? null
        : { seq: row.checkpoint_seq, state: row.checkpoint },
    events: details.eventsOf(runId),
    inbox: details.inboxOf(runId),
    leases: details.leasesOf(runId),
  };
}

/** The answer to an append, or null when another transaction with its append id was under way. */
function appended(op: AppendOp, row: WaveRow, details: Details): BatchResult | null {
  if (row.recorded_run !== null && row.recorded_run !== op.runId) {
    return refused('conflict', `append ${op.appendId} was made to run ${row.recorded_run}; use a new append id`);
  }
  if (row.recorded_run !== null || row.done) {
    return {
      result: 'appended',
      seq: row.seq ?? 0,
      inbox: details.inboxOf(op.runId),
      parked: row.parked ?? false,
    };
  }
  if (row.status === null) return noRun(op.runId);
  if (row.epoch !== op.epoch) {
    const text = `run ${op.runId} is at epoch ${row.epoch ?? 0}, the append at ${op.epoch}; its owner has been succeeded`;
    return refused('stale_epoch', text);
  }
  if (op.ended !== null && row.status === 'ended') return refused('run_ended', `run ${op.runId} has ended already`);
  if (op.ifRead === true && (row.unread ?? 0) > 0)
    return refused(
      'unread',
      `run ${op.runId} has unread rows that this append does not consume; acquire and read them`,
    );
  if (op.wakeAt === null && op.ended === null && row.status !== 'ended') {
    return refused('invalid_request', `run ${op.runId} has not ended, so it needs a wakeAt`);
  }
  return null;
}

function noRun(runId: string): Refusal {
  return refused('not_found', `there is no run ${runId}`);
}

export function refused(code: Refusal['code'], message: string): Refusal {
  return { result: 'refused', code, message };
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
