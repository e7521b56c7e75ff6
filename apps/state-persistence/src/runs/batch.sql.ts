import type { AcquireOp, AppendOp, CreateOp } from '@devmesh/contracts/state-api';
import { contentOf, type RunStatus } from '@devmesh/contracts/run';
import { TURN_LEASE_MS } from '@devmesh/contracts/state-api';
import { Args, instant, printable, unnest, type Statement } from '../database/database.js';
import { endingCtes, factCtes, readCondition } from './append-facts.sql.js';

/** Ops of a batch of which no two concern the same run, key or append id: one statement writes them all. */
export interface Wave {
  readonly creates: readonly CreateOp[];
  readonly acquires: readonly AcquireOp[];
  readonly appends: readonly AppendOp[];
}

/** What the statement says of one op: the i-th (from 1) of its kind. */
export interface WaveRow {
  readonly kind: 'create' | 'acquire' | 'append';
  readonly i: number;
  /** The op took effect now. */
  readonly done: boolean;
  /** Of the run before an append, after an acquire. Null when there is no such run. */
  readonly status: RunStatus | null;
  readonly epoch: number | null;
  readonly seq: number | null;
  /** Inbox rows left unread. */
  readonly unread: number | null;
  readonly parked: boolean | null;
  readonly wake_at: Date | null;
  /** The run of the append on record under this append id. */
  readonly recorded_run: string | null;
  readonly digest: string | null;
  readonly checkpoint: Record<string, never> | null;
  readonly checkpoint_seq: number | null;
  readonly created_at: Date | null;
  /** The run that got the place of one that ended. */
  readonly freed: string | null;
}

/*
 * How one statement can be a whole transaction, under READ COMMITTED:
 *
 * - `head` locks the heads of all runs of the wave in id order before anything of a run is read. A row that was waited
 *   for is seen as its last writer left it; all other tables are seen as they were when the statement began. So what an
 *   append must know for certain (epoch, last number, count of unread rows, status) is in the head.
 * - `on conflict do nothing` sees what others committed meanwhile. An append id that was committed while we waited is
 *   not inserted a second time, and everything else of that append hangs on the inserted row; the caller then asks again.
 * - `update` re-reads rows that others changed, so a row of the inbox is consumed once.
 *
 * Whatever is joined with a table that grows says `= any(…)` of that table's key too: then it is read by those keys, and not whole, even by a
 * plan that was made when it was small.
 */

const COLUMNS = `kind, i, done, status, epoch, seq, unread, parked, wake_at, recorded_run, digest, checkpoint,
  checkpoint_seq, created_at, freed`;

/** The statement for a wave. Its text depends only on which kinds of facts the wave holds. */
export function waveStatement(wave: Wave, now: number): Statement {
  const args = new Args();
  const parts: Part[] = [];
  const ids = args.add(
    [...wave.acquires, ...wave.appends, ...wave.creates].map((op) => op.runId),
    'uuid[]',
  );
  if (wave.acquires.length + wave.appends.length > 0) {
    parts.push({
      name: 'h',
      ctes: `head as materialized (
        select run_id, epoch, last_seq, unread, status, slot_held from run_heads
        where run_id = any(${ids}) order by run_id for update)`,
    });
  }
  if (wave.creates.length > 0) parts.push(createPart(args, wave.creates, ids, now));
  if (wave.acquires.length > 0) parts.push(acquirePart(args, wave.acquires, ids, now));
  if (wave.appends.length > 0) parts.push(appendPart(args, wave.appends, ids, now));
  const selects = parts.flatMap((part) => (part.select === undefined ? [] : [`(${part.select})`]));
  return {
    name: `wave-${parts.map((part) => part.name).join('-')}`,
    text: `with ${parts.map((part) => part.ctes).join(',\n')}\nselect ${COLUMNS} from (${selects.join('\nunion all ')}) x`,
    values: args.values,
  };
}

interface Part {
  readonly name: string;
  readonly ctes: string;
  readonly select?: string;
}

function createPart(args: Args, ops: readonly CreateOp[], ids: string, now: number): Part {
  const at = args.add(instant(now), 'timestamptz');
  const turn = args.add(instant(now + TURN_LEASE_MS), 'timestamptz');
  const bounded = ops.some((op) => op.maxConcurrent !== undefined);
  const artifacts = ops.flatMap((op) => (op.artifacts ?? []).map((artifact) => ({ id: op.runId, artifact })));
  const c = unnest(args, ops, [
    ['uuid', (op) => op.runId],
    ['text', (op) => op.projectId],
    ['text', (op) => op.workflow.digest],
    ['text', (op) => op.workflow.name],
    ['text', (op) => op.task],
    ['json', (op) => (op.repository === null ? null : JSON.stringify(op.repository))],
    ['jsonb', (op) => (op.repository === null ? null : JSON.stringify(contentOf(op.repository)))],
    ['timestamptz', (op) => (op.wakeAt === null ? null : instant(op.wakeAt))],
    ['int', (op) => op.events.length],
    ['text', (op) => op.idempotency?.key ?? null],
    ['text', (op) => op.idempotency?.requestHash ?? null],
    ['int', (op) => op.priority ?? 0],
    // A held run has no owner.
    ['text', (op) => (op.wakeAt === null ? null : (op.owner ?? null))],
    ...(bounded ? [['text', slotOf] as const, ['int', (op: CreateOp) => op.maxConcurrent ?? null] as const] : []),
  ]);
  const events = ops.flatMap((op) => op.events.map((event, n) => ({ runId: op.runId, seq: n + 1, event })));
  // Those that a queued run keeps come first, so their numbers stay.
  // An owner has the run as by an acquire.
  const wakeAt = `case when owner is null then wake_at else ${turn} end`;
  const kept = `e.event ->> 'type' in ('RunCreated', 'StepsInherited')`;
  const e = unnest(args, events, [
    ['uuid', (row) => row.runId],
    ['int', (row) => row.seq],
    ['json', (row) => JSON.stringify(row.event)],
  ]);
  return {
    name: `c${bounded ? 'b' : ''}${artifacts.length > 0 ? 'f' : ''}`,
    ctes: `c as materialized (
      select * from ${c} with ordinality as t(run_id, project_id, digest, name, task, repository, bundles, wake_at, events, key, hash, priority, owner, ${bounded ? 'slot, bound, ' : ''}i)),
    allowed as materialized (
      select c.* from c join projects p on p.id = c.project_id join workflows w on w.digest = c.digest
      where w.digest = any(array(select digest from c))
        and not exists (select from runs r where r.id = c.run_id and r.id = any(${ids}))),
    keyed as (
      insert into idempotency_keys (project_id, key, request_hash, run_id, created_at)
      select project_id, key, hash, run_id, ${at} from allowed where key is not null order by project_id, key
      on conflict do nothing returning run_id),
    run as (
      insert into runs (id, project_id, workflow_digest, workflow_name, task, repository, bundles, created_at)
      select run_id, project_id, digest, name, task, repository, bundles, ${at} from allowed a
      where key is null or exists (select from keyed k where k.run_id = a.run_id) order by run_id
      on conflict do nothing returning id),
    ${
      bounded
        ? `placed as materialized (
      select a.*, a.slot is null or take_slot(a.slot, a.bound) as runs,
        (select count(*)::int from ${e} as e(run_id, seq, event) where e.run_id = a.run_id and ${kept}) as kept
      from allowed a join run on run.id = a.run_id order by a.slot),
    new_head as (
      insert into run_heads (run_id, last_seq, wake_at, updated_at, priority, slot, slot_held, status, epoch, owner, in_turn)
      select run_id, case when runs then events else kept end, case when runs then ${wakeAt} end, ${at}, priority, slot,
        runs and slot is not null, case when runs then 'running' else 'queued' end,
        case when runs and owner is not null then 1 else 0 end, case when runs then owner end, runs and owner is not null
      from placed),
    new_event as (
      insert into run_events (run_id, seq, event)
      select e.run_id, e.seq, e.event from ${e} as e(run_id, seq, event) join placed p on p.run_id = e.run_id
      where p.runs or ${kept})`
        : `new_head as (
      insert into run_heads (run_id, last_seq, wake_at, updated_at, priority, epoch, owner, in_turn)
      select run_id, events, ${wakeAt}, ${at}, priority, case when owner is null then 0 else 1 end, owner, owner is not null
      from allowed join run on run.id = allowed.run_id),
    new_event as (
      insert into run_events (run_id, seq, event)
      select e.run_id, e.seq, e.event from ${e} as e(run_id, seq, event) join run on run.id = e.run_id)`
    }${artifacts.length > 0 ? `,\n    ${inheritedCte(args, artifacts)}` : ''}`,
    select: `select 'create' as kind, c.i::int, run.id is not null as done, ${bounded ? `case when p.runs then 'running' else 'queued' end` : 'null::text'} as status,
      case when run.id is not null and c.owner is not null${bounded ? ' and p.runs' : ''} then 1 end as epoch,
      null::int as seq, null::int as unread, null::boolean as parked, case when c.owner is null then c.wake_at else ${turn} end as wake_at, null::uuid as recorded_run,
      null::text as digest, null::json as checkpoint, null::int as checkpoint_seq, null::timestamptz as created_at,
      null::uuid as freed
      from c left join run on run.id = c.run_id${bounded ? ' left join placed p on p.run_id = c.run_id' : ''}`,
  };
}

function acquirePart(args: Args, ops: readonly AcquireOp[], ids: string, now: number): Part {
  const turn = args.add(instant(now + TURN_LEASE_MS), 'timestamptz');
  const q = unnest(args, ops, [
    ['uuid', (op) => op.runId],
    ['text', (op) => op.owner],
  ]);
  return {
    name: 'q',
    // An ended run that nobody need look at stays so: an acquire for a late job must not bring it back, and whoever dies in that turn leaves
    // nothing behind. Of a pruned one nothing is left
    // to take a turn on: to an owner it is not there.
    ctes: `q as materialized (select * from ${q} with ordinality as t(run_id, owner, i)),
    acquired as (
      update run_heads h set epoch = h.epoch + 1, owner = q.owner, in_turn = h.status <> 'ended' or h.wake_at is not null,
        wake_at = case when h.status = 'ended' and h.wake_at is null then null else ${turn} end
      from q join head on head.run_id = q.run_id where h.run_id = q.run_id and h.run_id = any(${ids}) and h.pruned_at is null
      returning h.run_id, h.epoch, h.status, h.last_seq, h.unread, h.wake_at, h.checkpoint, h.checkpoint_seq)`,
    select: `select 'acquire' as kind, q.i::int, a.run_id is not null as done, a.status, a.epoch, a.last_seq as seq,
      a.unread, null::boolean as parked, a.wake_at, null::uuid as recorded_run, r.workflow_digest as digest,
      a.checkpoint, a.checkpoint_seq, r.created_at, null::uuid as freed
      from q left join acquired a on a.run_id = q.run_id left join runs r on r.id = a.run_id and r.id = any(${ids})`,
  };
}

function appendPart(args: Args, ops: readonly AppendOp[], ids: string, now: number): Part {
  const at = args.add(instant(now), 'timestamptz');
  const turn = args.add(instant(now + TURN_LEASE_MS), 'timestamptz');
  const a = unnest(args, ops, [
    ['uuid', (op) => op.appendId],
    ['uuid', (op) => op.runId],
    ['int', (op) => op.epoch],
    ['int', (op) => op.events.length],
    ['json', (op) => (op.checkpoint === null ? null : JSON.stringify(op.checkpoint))],
    ['timestamptz', (op) => (op.wakeAt === null ? null : instant(op.wakeAt))],
    ['boolean', (op) => op.park],
    ['text', (op) => op.ended?.verdict ?? null],
    ['text', (op) => (op.ended === null ? null : printable(op.ended.reason))],
    ['boolean', (op) => op.paused ?? null],
  ]);
  const appendIds = args.add(
    ops.map((op) => op.appendId),
    'uuid[]',
  );
  const events = ops.flatMap((op) => op.events.map((event, n) => ({ id: op.appendId, n: n + 1, event })));
  const e = unnest(args, events, [
    ['uuid', (row) => row.id],
    ['int', (row) => row.n],
    ['json', (row) => JSON.stringify(row.event)],
  ]);
  const consumed = ops.flatMap((op) => op.consume.map((id) => ({ runId: op.runId, id })));
  const artifacts = ops.flatMap((op) => op.artifacts.map((artifact) => ({ id: op.appendId, artifact })));
  const reading = ops.filter((op) => op.ifRead === true);
  const facts = factCtes(args, ops, ids, at);
  const ends = ops.some((op) => op.ended !== null);
  const endings = ends ? endingCtes(args, ops, ids, at) : null;
  return {
    name: `a${consumed.length > 0 ? 'i' : ''}${artifacts.length > 0 ? 'f' : ''}${reading.length > 0 ? 'r' : ''}${facts.name}${endings?.name ?? ''}`,
    ctes: `a as materialized (
      select * from ${a} with ordinality as t(append_id, run_id, epoch, events, checkpoint, wake_at, park, verdict, reason, paused, i)),
    known as materialized (select append_id, run_id, last_seq, parked from appends where append_id = any(${appendIds})),
    ok as materialized (
      select a.*, h.last_seq + a.events as seq, h.unread, h.status = 'ended' or a.verdict is not null as ends
      from a join head h on h.run_id = a.run_id
      where h.epoch = a.epoch and not (a.verdict is not null and h.status = 'ended')
        and (a.wake_at is not null or a.verdict is not null or h.status = 'ended')
        and not exists (select from known k where k.append_id = a.append_id)${reading.length > 0 ? readCondition(args, reading) : ''}),
    ${consumed.length > 0 ? takenCte(args, consumed) : ''}
    counted as materialized (
      select ok.*, ok.unread${consumed.length > 0 ? ' - coalesce(t.n, 0)' : ''} as left_unread from ok
      ${consumed.length > 0 ? 'left join (select run_id, count(*)::int as n from taken group by run_id) t on t.run_id = ok.run_id' : ''}),
    next as materialized (select counted.*, park and left_unread = 0 as parks from counted),
    fresh as (
      insert into appends (append_id, run_id, last_seq, parked)
      select append_id, run_id, seq, parks from next on conflict do nothing returning append_id),
    new_fact as (
      insert into run_events (run_id, seq, event)
      select n.run_id, n.seq - n.events + e.n, e.event
      from ${e} as e(append_id, n, event) join next n on n.append_id = e.append_id join fresh f on f.append_id = n.append_id),
    ${artifacts.length > 0 ? artifactCte(args, artifacts) : ''}
    ${facts.ctes}
    moved as (
      update run_heads h set last_seq = n.seq, unread = n.left_unread, in_turn = not n.parks,
        wake_at = case when n.parks or (n.ends and not n.park) then n.wake_at else least(n.wake_at, ${turn}) end,
        status = case when n.ends then 'ended' when n.paused or (n.paused is null and h.status = 'paused') then 'paused'
          else 'running' end,
        slot_held = h.slot_held and n.verdict is null,
        verdict = coalesce(n.verdict, h.verdict), reason = coalesce(n.reason, h.reason),
        ended_at = case when n.verdict is null then h.ended_at else ${at} end,
        checkpoint = coalesce(n.checkpoint, h.checkpoint),
        checkpoint_seq = case when n.checkpoint is null then h.checkpoint_seq else n.seq end,
        turn_failures = 0, last_turn_error = null, updated_at = ${at}
      from next n join fresh f on f.append_id = n.append_id
      where h.run_id = n.run_id and h.run_id = any(${ids})
      returning h.run_id, h.wake_at, h.slot)${endings === null ? '' : `,\n    ${endings.ctes}`}`,
    select: `select 'append' as kind, a.i::int, m.run_id is not null as done, h.status, h.epoch,
      coalesce(k.last_seq, n.seq) as seq, coalesce(n.left_unread, h.unread) as unread,
      coalesce(k.parked, n.parks) as parked, m.wake_at, k.run_id as recorded_run, null::text as digest,
      null::json as checkpoint, null::int as checkpoint_seq,
      case when a.verdict is not null then (select created_at from runs r where r.id = a.run_id) end as created_at,
      ${ends ? 'freed.next' : 'null::uuid'} as freed
      from a left join head h on h.run_id = a.run_id left join known k on k.append_id = a.append_id
      left join next n on n.append_id = a.append_id left join moved m on m.run_id = a.run_id
      ${ends ? 'left join freed on freed.run_id = a.run_id' : ''}`,
  };
}

function takenCte(args: Args, consumed: readonly { runId: string; id: string }[]): string {
  const c = unnest(args, consumed, [
    ['uuid', (row) => row.runId],
    ['bigint', (row) => row.id],
  ]);
  return `taken as (
      update inbox x set consumed = true from ${c} as c(run_id, id) join ok on ok.run_id = c.run_id
      where x.id = c.id and x.id = any(${args.add(
        consumed.map((row) => row.id),
        'bigint[]',
      )}) and x.run_id = c.run_id and not x.consumed returning x.run_id),`;
}

interface ArtifactRow {
  /** Of its append, or of its run. */
  readonly id: string;
  readonly artifact: AppendOp['artifacts'][number];
}

function artifactRows(args: Args, rows: readonly ArtifactRow[]): string {
  return unnest(args, rows, [
    ['uuid', (row) => row.id],
    ['text', (row) => row.artifact.step],
    ['int', (row) => row.artifact.iteration],
    ['text', (row) => printable(row.artifact.name)],
    ['text', (row) => row.artifact.digest],
    ['text', (row) => printable(row.artifact.mediaType)],
    ['bigint', (row) => row.artifact.size],
  ]);
}

function artifactCte(args: Args, rows: readonly ArtifactRow[]): string {
  const r = artifactRows(args, rows);
  return `named as (
      insert into run_artifacts (run_id, step, iteration, name, digest, media_type, size)
      select n.run_id, r.step, r.iteration, r.name, r.digest, r.media_type, r.size
      from ${r} as r(append_id, step, iteration, name, digest, media_type, size)
      join next n on n.append_id = r.append_id join fresh f on f.append_id = n.append_id
      on conflict do nothing),`;
}

/** The artifacts that a fork inherits. */
function inheritedCte(args: Args, rows: readonly ArtifactRow[]): string {
  const r = artifactRows(args, rows);
  return `inherited as (
      insert into run_artifacts (run_id, step, iteration, name, digest, media_type, size)
      select r.run_id, r.step, r.iteration, r.name, r.digest, r.media_type, r.size
      from ${r} as r(run_id, step, iteration, name, digest, media_type, size) join run on run.id = r.run_id
      on conflict do nothing)`;
}

/** The places that runs of a workflow share in a project. */
export function slotOf(op: CreateOp): string | null {
  return op.maxConcurrent === undefined ? null : `${op.projectId}/${op.workflow.name}`;
}
