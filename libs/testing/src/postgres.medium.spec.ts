import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { createDatabase, removeStalePostgres, templateDatabase } from './postgres.js';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

test('databases made from one template start alike and share nothing', async () => {
  const server = inject('postgresUrl');
  let prepared = 0;
  const prepare = async (url: string): Promise<void> => {
    prepared++;
    await query(url, 'create table t as select 1 as n');
  };
  const names = await Promise.all([1, 2].map(() => templateDatabase(server, 'template_of_this_test', prepare)));
  expect(prepared).toBe(1);
  const [a, b] = await Promise.all(names.map((template) => createDatabase(server, { template })));
  try {
    await query(a!.url, 'insert into t values (2)');
    expect(await query(a!.url, 'select n from t order by n')).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await query(b!.url, 'select n from t order by n')).toEqual([{ n: 1 }]);
  } finally {
    await Promise.all([a!.drop(), b!.drop()]);
  }
  await expect(query(a!.url, 'select 1')).rejects.toThrow('does not exist');
});

test('a cluster whose owner was killed is stopped and removed', async () => {
  const source = fileURLToPath(new URL('./postgres.ts', import.meta.url));
  const script = `const { startPostgres } = await import(${JSON.stringify(source)});
    const s = await startPostgres();
    console.log(JSON.stringify({ pid: s.pid(), dataDir: s.dataDir }));`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(owner.stdout, 'data')) as [Buffer];
  const { pid, dataDir } = JSON.parse(line.toString()) as { pid: number; dataDir: string };
  expect(existsSync(dataDir)).toBe(true);

  await removeStalePostgres();
  expect(existsSync(dataDir), 'one in use is left alone').toBe(true);

  owner.kill('SIGKILL');
  await once(owner, 'exit');
  await removeStalePostgres();
  expect(existsSync(dataDir)).toBe(false);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('a process that had a server keeps its exit code', async () => {
  const source = fileURLToPath(new URL('./postgres.ts', import.meta.url));
  const script = `const { startPostgres } = await import(${JSON.stringify(source)});
    await (await startPostgres()).stop();
    process.exitCode = 3;`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  expect(await once(owner, 'exit')).toEqual([3, null]);
});
