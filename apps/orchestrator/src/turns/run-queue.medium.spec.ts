import { createDatabase } from '@devmesh/testing/postgres';
import type {} from '@devmesh/testing/postgres.global-setup';
import pg from 'pg';
import { describe, expect, inject, it } from 'vitest';
import { describeQueue, type QueueFixture } from '../testing/queue.suite.js';
import { queuePlace } from './run-queue.js';

/** A database with product data, and a role that owns nothing but the queue's schema. */
async function onPostgres(): Promise<QueueFixture> {
  const database = await createDatabase(inject('postgresUrl'));
  const role = `queue_${database.name}`;
  const asOwner = async <T>(use: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  };
  await asOwner(async (client) => {
    await client.query(`create role ${role} login password 'queue'`);
    await client.query(`create schema queue authorization ${role}`);
    // BullMQ says `create schema if not exists`, which wants this right even when the schema is there.
    await client.query(`grant create on database ${database.name} to ${role}`);
    await client.query('create table public.runs (id text)');
  });
  const url = new URL(database.url);
  url.username = role;
  url.password = 'queue';
  return {
    place: { kind: 'postgres', connectionString: url.toString(), schema: 'queue' },
    empty: () =>
      asOwner(async (client) => {
        const { rows } = await client.query<{ name: string }>(
          "select tablename as name from pg_tables where schemaname = 'queue' and tablename not like '%migration%'",
        );
        for (const { name } of rows) await client.query(`delete from queue.${name}`);
      }),
    kept: () =>
      asOwner(async (client) =>
        Number((await client.query<{ n: string }>('select count(*) as n from queue.job')).rows[0]?.n),
      ),
    remove: () => database.drop(),
  };
}

describeQueue('PostgreSQL', onPostgres, (open, fixture) => {
  it('sees no product data, on PostgreSQL', async () => {
    await open(() => Promise.resolve());
    const { place } = fixture();
    const client = new pg.Client({ connectionString: place.kind === 'postgres' ? place.connectionString : '' });
    await client.connect();
    await expect(client.query('select * from public.runs')).rejects.toThrow('permission denied');
    await client.end();
  });
});

describe('the place of the queue', () => {
  const queueSchema = 'queue';

  it('is Redis when that is named, else PostgreSQL', () => {
    const queueDatabaseUrl = 'postgres://one';
    expect(queuePlace({ queueSchema, queueDatabaseUrl, queueRedisUrl: 'redis://two' })).toMatchObject({
      kind: 'redis',
    });
    expect(queuePlace({ queueSchema, queueDatabaseUrl, queueRedisUrl: undefined })).toMatchObject({ kind: 'postgres' });
  });

  it('has to be named', () => {
    expect(() => queuePlace({ queueSchema, queueDatabaseUrl: undefined, queueRedisUrl: undefined })).toThrow(
      'DEVMESH_QUEUE_REDIS_URL',
    );
  });
});
