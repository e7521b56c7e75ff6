import { createDatabase } from '@devmesh/testing/postgres';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { createDataSource, migrate, MIGRATIONS } from './migrate.js';

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

test('the migrations make what the entities say, no more and no less', async () => {
  const database = await createDatabase(inject('postgresUrl'));
  await migrate(database.url);
  const source = createDataSource(database.url);
  await source.initialize();
  const { upQueries } = await source.driver.createSchemaBuilder().log();
  await source.destroy();
  expect(upQueries.map((one) => one.query)).toEqual([]);
  expect(await query(database.url, 'select id from projects')).toEqual([{ id: 'default' }]);
  await database.drop();
});

test('instances that start at once migrate once', async () => {
  const database = await createDatabase(inject('postgresUrl'));
  await Promise.all([1, 2, 3].map(() => migrate(database.url)));
  expect(await query(database.url, 'select name from migrations')).toHaveLength(MIGRATIONS.length);
  await database.drop();
});

test('each migration can be taken back', async () => {
  const database = await createDatabase(inject('postgresUrl'));
  await migrate(database.url);
  const source = createDataSource(database.url);
  await source.initialize();
  for (let i = 0; i < MIGRATIONS.length; i++) await source.undoLastMigration();
  await source.destroy();
  expect(await query(database.url, `select tablename from pg_tables where schemaname = 'public'`)).toEqual([
    { tablename: 'migrations' },
  ]);
  await database.drop();
});

test('a database from a later version is refused untouched, with both versions and the cure', async () => {
  const database = await createDatabase(inject('postgresUrl'));
  await migrate(database.url);
  await query(database.url, `insert into migrations (timestamp, name) values (9999999999999, 'Later9999999999999')`);
  const own = new (MIGRATIONS.at(-1)!)().name;
  await expect(migrate(database.url)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(new RegExp(`Later9999999999999.*${own}.*Start the version of Devmesh`)) as string,
  });
  await database.drop();
});
