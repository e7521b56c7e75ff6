import type pg from 'pg';

/** Until so many statements of this database wait for a lock. */
export async function waiters(client: pg.Client, count: number): Promise<void> {
  for (let i = 0; i < 500; i++) {
    const { rows } = await client.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (rows[0]?.n === count) return;
    await client.query('select pg_sleep(0.005)');
  }
  throw new Error(`there were never ${count} statements waiting for a lock`);
}
