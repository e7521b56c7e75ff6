import type {
  DueFiringsRequest,
  Firing,
  FiringResult,
  StoreFiring,
  StoreTrigger,
  TriggerOn,
  TriggerRecord,
  TriggerRun,
} from '@devmesh/contracts/trigger';
import { instant, printable, type Database } from '../database/database.js';

interface TriggerRow {
  readonly id: string;
  readonly project_id: string;
  readonly name: string;
  readonly on: TriggerOn;
  readonly run: TriggerRun;
  readonly enabled: boolean;
  readonly secret: string | null;
  readonly created_by: string;
  readonly created_at: Date;
  readonly next_at: Date | null;
  readonly last_fired_at: Date | null;
  readonly last_run_id: string | null;
  readonly last_error: string | null;
}

const COLUMNS = `t.id, t.project_id, t.name, t."on", t.run, t.enabled, t.secret, t.created_by, t.created_at, t.next_at,
  t.last_fired_at, t.last_run_id, t.last_error`;

/** Deliveries that were handled are kept for this long, so that one that is sent again starts nothing, ms. */
const KEPT_MS = 30 * 24 * 3600_000;

export class TriggersRepository {
  constructor(private readonly db: Database) {}

  /** Null when the project is not there; false when it has a trigger of that name. */
  async create(trigger: StoreTrigger, now: number): Promise<TriggerRecord | null | false> {
    const { id, projectId, name, on, run, enabled, secret, createdBy, nextAt } = trigger;
    const [row] = await this.db.write<Partial<TriggerRow> & { project: string }>({
      name: 'create-trigger',
      text: `with t as (
          insert into triggers (id, project_id, name, kind, "on", run, enabled, secret, created_by, created_at, next_at)
          select $1::uuid, p.id, $3::text, $4::text, $5::json, $6::json, $7::boolean, $8::text, $9::text, $10::timestamptz, $11::timestamptz
          from projects p where p.id = $2::text
          on conflict do nothing returning *)
        select p.id as project, ${COLUMNS} from projects p left join t on true where p.id = $2::text`,
      values: [
        id,
        projectId,
        name,
        on.kind,
        JSON.stringify(on),
        JSON.stringify(run),
        enabled,
        secret,
        createdBy,
        instant(now),
        nextAt === null ? null : instant(nextAt),
      ],
    });
    if (row === undefined) return null;
    return isWhole(row) ? record(row) : false;
  }

  async list(projectId: string): Promise<TriggerRecord[]> {
    const rows = await this.db.read<TriggerRow>({
      name: 'list-triggers',
      text: `select ${COLUMNS} from triggers t where t.project_id = $1::text order by t.name`,
      values: [projectId],
    });
    return rows.map(record);
  }

  async find(id: string): Promise<TriggerRecord | null> {
    const [row] = await this.db.read<TriggerRow>({
      name: 'find-trigger',
      text: `select ${COLUMNS} from triggers t where t.id = $1::uuid`,
      values: [id],
    });
    return row === undefined ? null : record(row);
  }

  /** Removes a trigger with its firings; what it started goes on. False when there is none. */
  async remove(id: string): Promise<boolean> {
    const rows = await this.db.write<{ id: string }>({
      name: 'remove-trigger',
      text: `with gone as (delete from triggers where id = $1::uuid returning id),
        firings as (delete from trigger_firings where trigger_id = $1::uuid)
        select id from gone`,
      values: [id],
    });
    return rows.length > 0;
  }

  /** Puts a delivery on record, due at once; false when it was there. Forgets those that are long over. */
  async addFiring(triggerId: string, { key, run }: StoreFiring, now: number): Promise<boolean> {
    const rows = await this.db.write<{ key: string }>({
      name: 'add-firing',
      text: `with old as (
          delete from trigger_firings where trigger_id = $1::uuid and status <> 'pending' and created_at < $5::timestamptz)
        insert into trigger_firings (trigger_id, key, run, lease_until, created_at)
        values ($1::uuid, $2::text, $3::json, $4::timestamptz, $4::timestamptz) on conflict do nothing returning key`,
      values: [triggerId, key, JSON.stringify(run), instant(now), instant(now - KEPT_MS)],
    });
    return rows.length > 0;
  }

  /** Hands out what is due and nobody holds, and holds it for the lease. */
  async takeDue(limit: number, leaseMs: number, now: number): Promise<Firing[]> {
    const until = instant(now + leaseMs);
    const values = [instant(now), limit, until];
    const occurrences = await this.db.write<TriggerRow>({
      name: 'take-due-schedules',
      text: `with due as materialized (
          select id from triggers where enabled and next_at <= $1::timestamptz and coalesce(lease_until, next_at) <= $1::timestamptz
          order by next_at limit $2::int for update skip locked)
        update triggers t set lease_until = $3::timestamptz from due where t.id = due.id returning ${COLUMNS}`,
      values,
    });
    const deliveries = await this.db.write<TriggerRow & { key: string; firing_run: TriggerRun }>({
      name: 'take-due-deliveries',
      text: `with due as materialized (
          select trigger_id, key from trigger_firings where status = 'pending' and lease_until <= $1::timestamptz
          order by lease_until limit $2::int for update skip locked),
        held as (
          update trigger_firings f set lease_until = $3::timestamptz from due
          where f.trigger_id = due.trigger_id and f.key = due.key returning f.trigger_id, f.key, f.run)
        select ${COLUMNS}, held.key, held.run as firing_run from held join triggers t on t.id = held.trigger_id`,
      values,
    });
    return [
      ...occurrences.map((row): Firing => ({
        trigger: record(row),
        key: row.next_at?.toISOString() ?? '',
        run: row.run,
      })),
      ...deliveries.map((row): Firing => ({ trigger: record(row), key: row.key, run: row.firing_run })),
    ];
  }

  /** Begins the leases of these anew, where they are not settled. */
  async renew(held: DueFiringsRequest['held'], leaseMs: number, now: number): Promise<void> {
    await this.db.write({
      name: 'renew-firings',
      text: `with held as (select * from unnest($1::uuid[], $2::text[], $3::timestamptz[]) as h(id, key, at)),
        deliveries as (
          update trigger_firings f set lease_until = $4::timestamptz from held
          where f.trigger_id = held.id and f.key = held.key and f.status = 'pending')
        update triggers t set lease_until = $4::timestamptz from held where t.id = held.id and t.next_at = held.at`,
      values: [
        held.map(({ triggerId }) => triggerId),
        held.map(({ key }) => key),
        held.map(({ key }) => occurrence(key)),
        instant(now + leaseMs),
      ],
    });
  }

  /** When the next occurrence, or delivery that was put off, is due, Unix ms; null when there is none. */
  async nextDue(): Promise<number | null> {
    const [row] = await this.db.read<{ at: Date | null }>({
      name: 'next-due-firing',
      text: `select least(
          (select min(greatest(next_at, lease_until)) from triggers where enabled and next_at is not null),
          (select min(lease_until) from trigger_firings where status = 'pending')) as at`,
      values: [],
    });
    return row?.at?.getTime() ?? null;
  }

  /** Puts on record what became of a firing. An occurrence moves on to the next one, unless it has done so already. */
  async settle(triggerId: string, result: FiringResult, now: number): Promise<boolean> {
    const { key, runId, error, retryAt, nextAt } = result;
    const rows = await this.db.write<{ id: string }>({
      name: 'settle-firing',
      text: `with fired as (
          update trigger_firings set run_id = $4::uuid, lease_until = coalesce($6::timestamptz, lease_until),
            status = case when $6::timestamptz is not null then 'pending' when $4::uuid is null then 'failed' else 'started' end
          where trigger_id = $1::uuid and key = $2::text and status = 'pending')
        update triggers t set last_error = $5::text,
          last_fired_at = case when $4::uuid is null then t.last_fired_at else $3::timestamptz end,
          last_run_id = coalesce($4::uuid, t.last_run_id),
          next_at = case when $6::timestamptz is not null or t.next_at is distinct from $8::timestamptz then t.next_at else $7::timestamptz end,
          lease_until = case when t.next_at is distinct from $8::timestamptz then t.lease_until else $6::timestamptz end
        where t.id = $1::uuid returning t.id`,
      values: [
        triggerId,
        key,
        instant(now),
        runId,
        error === null ? null : printable(error),
        retryAt === null ? null : instant(retryAt),
        nextAt === null ? null : instant(nextAt),
        occurrence(key),
      ],
    });
    return rows.length > 0;
  }
}

/** The instant that names an occurrence; null for a delivery. */
function occurrence(key: string): string | null {
  return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(key) ? key : null;
}

function isWhole(row: Partial<TriggerRow>): row is TriggerRow {
  return row.id !== null && row.id !== undefined;
}

function record(row: TriggerRow): TriggerRecord {
  return {
    id: row.id,
    projectId: row.project_id,
    name: row.name,
    on: row.on,
    run: row.run,
    enabled: row.enabled,
    secret: row.secret,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    nextAt: row.next_at?.toISOString() ?? null,
    lastFiredAt: row.last_fired_at?.toISOString() ?? null,
    lastRunId: row.last_run_id,
    lastError: row.last_error,
  };
}
