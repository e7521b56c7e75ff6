import type pg from 'pg';

/** Tables that grow with the number of runs. */
const GROWING = `runs, run_heads, run_events, appends, inbox, executions, run_artifacts, artifacts, idempotency_keys, approvals, effects,
  barred_executions`;

/** A history of finished runs: copies of one that the mesh did itself, in the tables as they are, over the last 29 days. */
export class HistorySeed {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  /** Takes a finished run of the database for its pattern. */
  static async of(client: pg.Client): Promise<HistorySeed> {
    await client.query(`create temp table pattern_run as select r.* from runs r join run_heads h on h.run_id = r.id
      where h.status = 'ended' order by r.id desc limit 1`);
    for (const table of ['run_heads', 'run_events', 'appends', 'inbox', 'executions']) {
      await client.query(
        `create temp table pattern_${table} as select t.* from ${table} t join pattern_run p on t.run_id = p.id`,
      );
    }
    return new HistorySeed(client);
  }

  /** Makes finished runs until there are so many; where there are more, removes all of them first. */
  async setTo(count: number): Promise<void> {
    const { rows } = await this.#client.query<{ n: number }>('select count(*)::int as n from run_heads');
    const there = rows[0]?.n ?? 0;
    if (there > count) await this.#client.query(`truncate ${GROWING}`);
    await this.add(count - (there > count ? 0 : there));
    // As autovacuum would a little later.
    await this.#client.query('vacuum analyze');
  }

  private async add(count: number): Promise<void> {
    if (count <= 0) return;
    const client = this.#client;
    await client.query('begin');
    await client.query('drop table if exists copy');
    await client.query(
      `create temp table copy as
        select uuidv7(-age) as id, p.id as pattern, now() - age as at
        from pattern_run p, lateral (select interval '29 days' * i / $1::int as age from generate_series(1, $1::int) i) ages`,
      [count],
    );
    await client.query('analyze copy');
    await client.query(`insert into runs
      select (jsonb_populate_record(p, jsonb_build_object('id', c.id, 'created_at', c.at))).* from pattern_run p, copy c`);
    await client.query(`insert into run_heads
      select (jsonb_populate_record(p, jsonb_build_object('run_id', c.id, 'ended_at', c.at, 'updated_at', c.at))).*
      from pattern_run_heads p, copy c`);
    await client.query(`insert into run_events
      select c.id, p.seq, replace(p.event::text, c.pattern::text, c.id::text)::json from pattern_run_events p, copy c`);
    await client.query(
      'insert into appends select gen_random_uuid(), c.id, p.last_seq, p.parked from pattern_appends p, copy c',
    );
    await client.query(`insert into inbox (run_id, dedupe_key, message, consumed, created_at)
      select c.id, replace(p.dedupe_key, c.pattern::text, c.id::text), replace(p.message::text, c.pattern::text, c.id::text)::json, true, c.at
      from pattern_inbox p, copy c`);
    // What the no-op agent leaves out: slow steps, artifacts, keys. One of each, or two.
    await client.query(`insert into executions (key, run_id, instance, lease_until, claim, outcome)
      select c.id || '/summary/1/1', c.id, 'noop', c.at, 'granted', '{"kind":"cancelled"}' from copy c`);
    await client.query(`insert into inbox (run_id, dedupe_key, message, consumed, created_at)
      select c.id, 'bench', '{"kind":"wake"}', true, c.at from copy c`);
    await client.query(`insert into artifacts (digest, size, created_at)
      select encode(sha256((c.id || '/' || n)::bytea), 'hex'), 100, c.at from copy c, generate_series(1, 2) n`);
    await client.query(`insert into run_artifacts
      select c.id, 'summary', 1, 'file-' || n, encode(sha256((c.id || '/' || n)::bytea), 'hex'), 'text/plain', 100
      from copy c, generate_series(1, 2) n`);
    await client.query(`insert into idempotency_keys (project_id, key, request_hash, run_id, created_at)
      select p.project_id, 'bench/' || c.id, repeat('a', 64), c.id, c.at from pattern_run p, copy c`);
    await client.query('commit');
  }
}
