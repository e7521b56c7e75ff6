import { executionKey } from '@devmesh/contracts/ids';
import type { RunQuery } from '@devmesh/contracts/state-api';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { assemble, type State } from './assemble.js';
import { Database } from './database/database.js';
import { DueRepository } from './due/due.repository.js';
import { ArtifactCollectorRepository } from './retention/artifact-collector.repository.js';
import { RetentionRepository } from './retention/retention.repository.js';
import { RetentionService } from './retention/retention.service.js';
import { DAY, naming, POLICY } from './testing/retention.fixture.js';
import {
  appendOp,
  createOp,
  createStateFixture,
  newRunId,
  T0,
  WORKFLOW_DIGEST,
  type StateFixture,
} from './testing/state.fixture.js';

/** More than any page of the lists below, and far more than a page of an index holds. */
const FEW = 60;
const MANY = 3_000;

// What a statement costs is told by what it reads, which is the same on every machine; bench/history.ts has the times.
describe('with many finished runs in the database', () => {
  let fixture: StateFixture;
  let onlooker: Client;
  /** Of one connection, so that it can be told to report what it did. */
  let db: Database;
  let state: State;
  let retention: RetentionService;

  beforeAll(async () => {
    fixture = await createStateFixture(inject('postgresUrl'));
    onlooker = await fixture.connect();
    await onlooker.query(`insert into projects values ('small', 'Small', now())`);
    db = new Database({ url: fixture.database.url, poolSize: 1, lockTimeoutMs: 10_000 });
    const now = (): number => fixture.clock.now;
    state = assemble({ db, now });
    retention = new RetentionService({
      repository: new RetentionRepository(db),
      collector: new ArtifactCollectorRepository(db),
      removeFile: () => Promise.resolve(),
      policy: POLICY,
      now,
    });
  });
  afterAll(async () => {
    await db.close();
    await fixture.close();
  });

  /** Finished runs, one a minute from so many minutes before T0 on. */
  async function addHistory(count: number, minutesBefore: number): Promise<void> {
    const ids = `select i, at, (substr(hex, 1, 8) || '-' || substr(hex, 9) || '-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid as id
      from (select i, ms, to_timestamp(ms / 1000.0) as at, lpad(to_hex(ms), 12, '0') as hex
        from (select i, ${T0}::bigint - (${minutesBefore} - i) * 60000 as ms from generate_series(1, ${count}) i) x) y`;
    await onlooker.query(`create temp table past as ${ids}`);
    await onlooker.query(`insert into runs (id, project_id, workflow_digest, workflow_name, task, bundles, created_at)
      select id, 'default', '${WORKFLOW_DIGEST}', 'one-step', '', jsonb_build_array(encode(sha256(id::text::bytea), 'hex')), at from past`);
    await onlooker.query(`insert into run_heads (run_id, status, verdict, reason, epoch, last_seq, updated_at, ended_at)
      select id, 'ended', 'passed', 'all well', 1, 20, at, at from past`);
    await onlooker.query(`insert into run_events
      select id, seq, '{"type":"RunTimedOut","at":1}' from past, generate_series(1, 20) seq`);
    await onlooker.query(`insert into appends select gen_random_uuid(), id, 20, true from past, generate_series(1, 4)`);
    await onlooker.query(`insert into inbox (run_id, dedupe_key, message, consumed, created_at)
      select id, 'x', '{"kind":"wake"}', true, at from past`);
    await onlooker.query(`insert into executions (key, run_id, instance, lease_until, claim, outcome)
      select id || '/only/1/1', id, 'i', at, 'granted', '{"kind":"cancelled"}' from past`);
    await onlooker.query(`insert into artifacts (digest, size, created_at)
      select encode(sha256(id::text::bytea), 'hex'), 10, at from past`);
    await onlooker.query(`insert into run_artifacts
      select id, 'only', 1, 'a', encode(sha256(id::text::bytea), 'hex'), 'text/plain', 10 from past`);
    await onlooker.query(`insert into idempotency_keys select 'default', id::text, '', id, at from past`);
    await onlooker.query('drop table past');
  }

  /** Rows of tables and entries of indexes that were read so far. */
  async function read(): Promise<number> {
    await db.read({ name: 'report', text: 'select pg_stat_force_next_flush()', values: [] });
    // The report is made when that statement's transaction is over, and before the next one is answered.
    await db.read({ name: 'reported', text: 'select 1', values: [] });
    await onlooker.query('select pg_stat_clear_snapshot()');
    const { rows } = await onlooker.query<{ n: number }>(`
      select ((select sum(seq_tup_read) from pg_stat_user_tables where schemaname = 'public')
        + (select sum(idx_tup_read) from pg_stat_user_indexes where schemaname = 'public'))::int as n`);
    return rows[0]?.n ?? NaN;
  }

  async function wholeRun(): Promise<void> {
    const runId = newRunId();
    const bundle = 'c'.repeat(64);
    const commit = 'd'.repeat(40);
    const ref = { bundles: [bundle], commit, base: commit, shallow: [] };
    const repository = { ref, origin: 'here', notices: [] };
    const idempotency = { key: runId, requestHash: 'a'.repeat(64) };
    await state.batch.run([createOp({ runId, repository, idempotency, wakeAt: T0 })]);
    expect(await state.due.poll({ limit: 10, leaseMs: 1_000, waitMs: 0 })).toEqual([{ runId, lease: 1, priority: 0 }]);
    await state.batch.run([{ op: 'acquire', runId, owner: 'a' }]);
    const key = executionKey(runId, 'only', 1, 1);
    await state.executions.claim({ key, instance: 'i', leaseMs: 1_000 });
    await state.executions.heartbeat({ instance: 'i', leaseMs: 1_000, executions: [{ key, progress: 'at it' }] });
    await state.inbox.post(runId, { dedupeKey: 'x', message: { kind: 'wake' } });
    const [appended] = await state.batch.run([appendOp(runId, 1, naming('b'.repeat(64)))]);
    const consume = appended?.result === 'appended' ? appended.inbox.map(({ id }) => id) : [];
    const ended = { verdict: 'passed', reason: 'all well' } as const;
    const end = appendOp(runId, 1, { ended, consume, wakeAt: null, park: true });
    expect(await state.batch.run([end])).toMatchObject([{ result: 'appended', parked: true }]);
    await state.runs.events(runId, { after: 0, limit: 100, waitMs: 0 });
  }

  /** The cursor of the thirtieth run that there ever was. */
  async function longAgo(): Promise<string> {
    const { rows } = await onlooker.query<{ id: string }>('select id from runs order by id offset 29 limit 1');
    return Buffer.from(rows[0]?.id ?? '').toString('base64url');
  }

  async function readings(): Promise<Record<string, number>> {
    const cursor = await longAgo();
    const list = (query: Partial<RunQuery>) => (): Promise<unknown> => state.runs.list({ limit: 20, ...query });
    const work: Record<string, () => Promise<unknown>> = {
      'a run from its create to its end': wholeRun,
      'the first page of runs': list({ projectId: 'default' }),
      'a page from long ago': list({ projectId: 'default', cursor }),
      'a page from long ago, of all projects': list({ cursor }),
      'a page of a small project': list({ projectId: 'small' }),
      'runs that have ended': list({ projectId: 'default', status: 'ended' }),
      'runs that are under way': list({ projectId: 'default', status: 'running' }),
      'the due poll': () => state.due.poll({ limit: 10, leaseMs: 1_000, waitMs: 0 }),
      'the nearest wake time': () => new DueRepository(db).nextWake(),
      'recovery of an owner': () => state.due.recover('nobody'),
      'what is scraped': () => state.runsRepository.load(T0),
      'a sweep that finds nothing': () => retention.sweep(),
      'counting what is old': () => retention.prune({ projectId: 'default', olderThanMs: 400 * DAY, dryRun: true }),
    };
    // What the onlooker itself did is on record before anything is measured.
    await onlooker.query('select pg_stat_force_next_flush()');
    const result: Record<string, number> = {};
    for (const [name, does] of Object.entries(work)) {
      const before = await read();
      await does();
      result[name] = (await read()) - before;
    }
    return result;
  }

  test('the next run reads no more than with few, nor does whoever looks, polls or sweeps', async () => {
    await addHistory(FEW, 10_000);
    await onlooker.query('vacuum analyze');
    await readings();
    const few = await readings();
    expect(few['a run from its create to its end']).toBeGreaterThan(10);
    expect(few['the first page of runs']).toBeGreaterThanOrEqual(40);

    await addHistory(MANY, 5_000);
    // With the plans that were made for few, and with those that are made when the tables have been looked at anew.
    const early = await readings();
    await onlooker.query('vacuum analyze');
    const late = await readings();
    const more = Object.keys(few).filter(
      (name) => Math.max(early[name] ?? NaN, late[name] ?? NaN) > (few[name] ?? NaN) + FEW,
    );
    expect({ more, few, early, late }).toMatchObject({ more: [] });
  });
});
