import { createDatabase, type TestDatabase } from '@devmesh/testing/postgres';
import type {} from '@devmesh/testing/postgres.global-setup';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { RunQueue } from './run-queue.js';

const A = '019a0000-0000-7000-8000-00000000000a';
const B = '019a0000-0000-7000-8000-00000000000b';

let database: TestDatabase;
let queueUrl: string;
let queues: RunQueue[] = [];

async function asOwner<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** A database with product data, and a role that owns nothing but the queue's schema. */
beforeEach(async () => {
  database = await createDatabase(inject('postgresUrl'));
  const role = `queue_${database.name}`;
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
  queueUrl = url.toString();
});

afterEach(async () => {
  await Promise.all(queues.map((queue) => queue.close()));
  queues = [];
  await database.drop();
});

async function open(process: (runId: string) => Promise<void>, concurrency = 4): Promise<RunQueue> {
  const queue = await RunQueue.open(
    { connectionString: queueUrl, schema: 'queue', concurrency, onError: () => undefined },
    process,
  );
  queues.push(queue);
  return queue;
}

describe('the queue of runs on PostgreSQL', () => {
  it('gives a job to a worker, with a role that sees the queue and no product data', async () => {
    const taken: string[] = [];
    const queue = await open(async (runId) => void taken.push(runId));
    await queue.add([{ runId: A, lease: 1 }]);
    await vi.waitFor(() => expect(taken).toEqual([A]));
    const client = new pg.Client({ connectionString: queueUrl });
    await client.connect();
    await expect(client.query('select * from public.runs')).rejects.toThrow('permission denied');
    await client.end();
  });

  it('holds one job for one lease of a run, however often it is added', async () => {
    const taken: string[] = [];
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const queue = await open(async (runId) => {
      taken.push(runId);
      await gate;
    }, 1);
    await queue.add([{ runId: B, lease: 1 }]);
    await vi.waitFor(() => expect(taken).toEqual([B]));
    await queue.add([{ runId: A, lease: 7 }]);
    await queue.add([
      { runId: A, lease: 7 },
      { runId: A, lease: 7 },
    ]);
    expect(await queue.depth()).toBe(1);
    release();
    await vi.waitFor(() => expect(taken).toEqual([B, A]));
  });

  it('leaves nothing of a job that is done, so the same lease may come again', async () => {
    const taken: string[] = [];
    const queue = await open(async (runId) => void taken.push(runId));
    await queue.add([{ runId: A, lease: 1 }]);
    await vi.waitFor(() => expect(taken).toEqual([A]));
    await vi.waitFor(async () => {
      const { rows } = await asOwner((client) => client.query<{ n: string }>('select count(*) as n from queue.job'));
      expect(rows[0]?.n).toBe('0');
    });
    await queue.add([{ runId: A, lease: 1 }]);
    await vi.waitFor(() => expect(taken).toEqual([A, A]));
  });

  it('goes on when its tables are emptied under it', async () => {
    const taken: string[] = [];
    const queue = await open(async (runId) => void taken.push(runId));
    await asOwner(async (client) => {
      const { rows } = await client.query<{ name: string }>(
        "select tablename as name from pg_tables where schemaname = 'queue' and tablename not like '%migration%'",
      );
      for (const { name } of rows) await client.query(`delete from queue.${name}`);
    });
    await queue.add([{ runId: A, lease: 1 }]);
    await vi.waitFor(() => expect(taken).toEqual([A]), { timeout: 10_000 });
  });

  it('waits for turns under way when it drains', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    let started = false;
    const queue = await open(async () => {
      started = true;
      await gate;
    });
    await queue.add([{ runId: A, lease: 1 }]);
    await vi.waitFor(() => expect(started).toBe(true));
    let drained = false;
    const draining = queue.drain().then(() => (drained = true));
    await queue.depth();
    expect(drained).toBe(false);
    release();
    await draining;
    expect(drained).toBe(true);
  });
});
