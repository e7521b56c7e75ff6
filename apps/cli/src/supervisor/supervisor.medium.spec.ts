import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CLONE } from '../clone.js';
import { ControlClient } from './control-client.js';
import { homeAt, type Home } from './home.js';
import { ask } from './http-probe.js';
import { ensureUp, leftoverProcesses, takeDown, type Launched } from './launch.js';
import { findPortBase } from './ports.js';
import { isAlive, livingProcesses, type RecordedProcess } from './processes.js';
import type { MeshStatus } from './protocol.js';

// The supervisor is a program of its own: it runs as it is built. Its services are stand-ins; PostgreSQL is real.
const program = {
  path: process.execPath,
  args: ['--disable-warning=ExperimentalWarning', join(CLONE, 'apps/cli/dist/supervisor/main.js')],
};
const stub = fileURLToPath(new URL('fixtures/stub-service.mjs', import.meta.url));

beforeAll(() => {
  execFileSync(process.execPath, [join(CLONE, 'node_modules/typescript/bin/tsc'), '-b', join(CLONE, 'apps/cli')], {
    stdio: 'inherit',
  });
});

let folder = '';
let home: Home;
let portBase = 0;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'devmesh mesh '));
  home = homeAt(join(folder, 'home'));
  writeFileSync(
    join(folder, 'mesh.json'),
    JSON.stringify({
      services: [
        { name: 'gateway', entry: stub },
        { name: 'code-review', entry: stub },
        { name: 'state-persistence', entry: stub, needsDatabase: true },
      ],
    }),
  );
  portBase = (await findPortBase(23_000 + Math.floor(Math.random() * 200) * 100, 3, '127.0.0.1')) ?? 0;
});
afterEach(async () => {
  await takeDown(home);
  rmSync(folder, { recursive: true, force: true });
});

const up = (env: NodeJS.ProcessEnv = {}, changed: (status: MeshStatus) => void = () => {}): Promise<Launched> =>
  ensureUp({
    home,
    env: { PATH: process.env['PATH'], DEVMESH_MESH_FILE: join(folder, 'mesh.json'), ...env },
    portBase,
    program,
    changed,
  });

async function current(): Promise<MeshStatus> {
  const found = await ControlClient.connect(home);
  if (found === null) throw new Error('no supervisor answers');
  return found.status;
}

const table = (): Promise<RecordedProcess[]> => livingProcesses(join(home.run, 'processes.json'));
async function untilGone(processes: readonly RecordedProcess[]): Promise<void> {
  await vi.waitFor(async () => expect((await Promise.all(processes.map(isAlive))).includes(true)).toBe(false), {
    timeout: 5_000,
    interval: 50,
  });
}

describe('a mesh', () => {
  it('comes up with a database of its own and one API key, and goes down without a trace of a process', async () => {
    const phases: string[] = [];
    const { status, fresh } = await up({}, (now) => phases.push(now.phase));
    expect(fresh).toBe(true);
    expect(status.phase).toBe('ready');
    expect(phases[0]).toBe('starting');
    expect(status.services.map(({ name, state, port }) => [name, state, port - portBase])).toEqual([
      ['gateway', 'ready', 0],
      ['code-review', 'ready', 1],
      ['state-persistence', 'ready', 2],
    ]);
    expect(statSync(home.apiKeyFile).mode & 0o777).toBe(0o600);

    const running = await table();
    expect(running.map(({ name }) => name).sort()).toEqual(['code-review', 'gateway', 'postgres', 'state-persistence']);
    expect((await up()).fresh).toBe(false);

    expect(await takeDown(home)).toMatchObject({ wasUp: true, swept: [], left: [] });
    expect((await Promise.all(running.map(isAlive))).includes(true)).toBe(false);
    expect(await leftoverProcesses(home)).toEqual([]);
    expect(await takeDown(home)).toMatchObject({ wasUp: false, swept: [], left: [] });
  });

  it('keeps its data over a stop', async () => {
    await up();
    const url = (): string => readFileSync(join(home.secrets, 'database-url'), 'utf8').trim();
    const query = async (text: string): Promise<unknown[]> => {
      const client = new pg.Client({ connectionString: url() });
      await client.connect();
      return client
        .query(text)
        .then(({ rows }) => rows as unknown[])
        .finally(() => client.end());
    };
    await query('create table kept (n int); insert into kept values (7)');
    await takeDown(home);
    await up();
    expect(await query('select n from kept')).toEqual([{ n: 7 }]);
    expect(await query(`select current_setting('fsync') f, current_setting('synchronous_commit') s`)).toEqual([
      { f: 'on', s: 'on' },
    ]);
  });

  it('gives the queue a role that sees only its schema', async () => {
    await up();
    const owner = new pg.Client({ connectionString: readFileSync(join(home.secrets, 'database-url'), 'utf8').trim() });
    await owner.connect();
    await owner.query('create table runs (id int)');
    const queue = new pg.Client({
      connectionString: readFileSync(join(home.secrets, 'queue-database-url'), 'utf8').trim(),
    });
    await queue.connect();
    try {
      await expect(queue.query('select * from public.runs')).rejects.toThrow('permission denied');
      await expect(queue.query('create table public.mine (n int)')).rejects.toThrow('permission denied');
      // As BullMQ's migrations do.
      await queue.query('create schema if not exists queue');
      await queue.query('create table job (n int)');
      expect(
        (await queue.query(`select table_schema from information_schema.tables where table_name = 'job'`)).rows,
      ).toEqual([{ table_schema: 'queue' }]);
      expect(
        (
          await queue.query(
            `select rolsuper or rolcreaterole or rolcreatedb as mighty from pg_roles where rolname = current_user`,
          )
        ).rows,
      ).toEqual([{ mighty: false }]);
    } finally {
      await Promise.all([owner.end(), queue.end()]);
    }
  });

  it('tells no secret in arguments, environments or logs', async () => {
    const { status } = await up();
    const secrets = [home.apiKeyFile, ...readdirSync(home.secrets).map((name) => join(home.secrets, name))].map(
      (file) => readFileSync(file, 'utf8').trim(),
    );
    expect(secrets.length).toBeGreaterThanOrEqual(6);
    const environments = await Promise.all(
      status.services.map(async ({ address }) => (await ask(`${address}/environment`, { timeoutMs: 5_000 })).body),
    );
    const commands = execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' });
    const logs = readdirSync(home.logs).map((name) => readFileSync(join(home.logs, name), 'utf8'));
    for (const secret of secrets)
      for (const text of [...environments, commands, ...logs]) expect(text.includes(secret)).toBe(false);
    const [gateway = '', , state = ''] = environments;
    expect(gateway).not.toContain('DATABASE_URL');
    expect(state).toContain('DATABASE_URL_FILE');
  });

  it('is started by one of two that start it at once; the other joins', async () => {
    const [one, two] = await Promise.all([up(), up()]);
    expect(one.status.pid).toBe(two.status.pid);
    expect([one.fresh, two.fresh].filter(Boolean)).toHaveLength(1);
    expect(one.status.phase).toBe('ready');
    expect(two.status.phase).toBe('ready');
  });

  it('may be stopped while it starts', async () => {
    let seen: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      seen = resolve;
    });
    const starting = up({}, () => seen()).then(
      () => 'up',
      (error: Error) => error.message,
    );
    await begun;
    await takeDown(home);
    expect(await starting).toContain('was stopped while it was starting');
    expect(await leftoverProcesses(home)).toEqual([]);
  });
});

describe('a process that dies', () => {
  it('is started again, and its deaths are told', async () => {
    const { status } = await up();
    const before = status.services[1];
    await ask(`${before?.address ?? ''}/die`, { timeoutMs: 2_000 }).catch(() => {});
    await vi.waitFor(
      async () => {
        const after = (await current()).services[1];
        expect(after).toMatchObject({ state: 'ready', restarts: 1, lastExit: 'exit code 9' });
        expect(after?.pid).not.toBe(before?.pid);
      },
      { timeout: 10_000, interval: 50 },
    );
  });

  it('may be PostgreSQL', async () => {
    await up();
    const postmaster = Number(readFileSync(join(home.postgres, 'postmaster.pid'), 'utf8').split('\n')[0]);
    process.kill(postmaster, 'SIGKILL');
    await vi.waitFor(async () => expect((await current()).database).toMatchObject({ state: 'ready', restarts: 1 }), {
      timeout: 15_000,
      interval: 50,
    });
  });
});

describe('a supervisor that is killed', () => {
  it('takes its services and its database with it', async () => {
    const { status } = await up();
    const running = await table();
    process.kill(status.pid, 'SIGKILL');
    await untilGone(running);
    expect(await leftoverProcesses(home)).toEqual([]);
    expect((await up()).status.phase).toBe('ready');
  });

  it('may leave a PostgreSQL whose watchdog was killed too: it is cleared at the next start', async () => {
    const { status } = await up();
    const watchdog = (await table()).find(({ name }) => name === 'postgres');
    const postmaster = Number(readFileSync(join(home.postgres, 'postmaster.pid'), 'utf8').split('\n')[0]);
    // It must not see the watchdog die: it would begin to mend that.
    process.kill(status.pid, 'SIGSTOP');
    // Its whole group at once, without PostgreSQL's own children: what no pipe can help against.
    for (const pid of execFileSync('ps', ['-o', 'pid=', '-g', String(watchdog?.pid)], { encoding: 'utf8' })
      .split('\n')
      .map(Number)) {
      if (pid > 0 && pid !== postmaster) process.kill(pid, 'SIGKILL');
    }
    process.kill(status.pid, 'SIGKILL');
    await vi.waitFor(
      async () => expect((await leftoverProcesses(home)).some(({ pid }) => pid === postmaster)).toBe(true),
      { timeout: 2_000, interval: 50 },
    );
    const again = await up();
    expect(again.status.database.state).toBe('ready');
    expect(Number(readFileSync(join(home.postgres, 'postmaster.pid'), 'utf8').split('\n')[0])).not.toBe(postmaster);
  });

  it('is swept up after by down', async () => {
    const { status } = await up();
    const running = await table();
    process.kill(status.pid, 'SIGKILL');
    expect((await takeDown(home)).left).toEqual([]);
    expect((await Promise.all(running.map(isAlive))).includes(true)).toBe(false);
  });
});

describe('a start that can not be', () => {
  it('because a port is taken: nothing is started, and the port is named', async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(portBase + 1, '127.0.0.1', resolve));
    try {
      await expect(up()).rejects.toThrow(
        new RegExp(`port ${portBase + 1} on 127.0.0.1 \\(for code-review.*--port-base`),
      );
      expect(await leftoverProcesses(home)).toEqual([]);
      expect(readdirSync(home.root)).not.toContain('postgres');
    } finally {
      await new Promise((resolve) => squatter.close(resolve));
    }
  });

  it('because a service does not stay up: it is named with its last words, and nothing is left', async () => {
    await expect(up({ DEVMESH_STUB_FAIL: 'code-review' })).rejects.toThrow(
      /code-review does not start: exit code 7; its last words: the stub was told to fail/,
    );
    await vi.waitFor(async () => expect(await leftoverProcesses(home)).toEqual([]), { timeout: 5_000 });
    // Once its trouble is mended, it starts.
    expect((await up()).status.phase).toBe('ready');
  });

  it('because DATABASE_URL leads nowhere', async () => {
    await expect(up({ DATABASE_URL: 'postgresql://user:hunter2@127.0.0.1:1/none' })).rejects.toThrow(
      /PostgreSQL at 127.0.0.1:1\/none \(DATABASE_URL\) can't be used: .*ECONNREFUSED/,
    );
    await expect(up({ DATABASE_URL: 'mysql://x' })).rejects.toThrow(/is not an address of PostgreSQL/);
    expect(readFileSync(join(home.logs, 'supervisor.log'), 'utf8')).not.toContain('hunter2');
  });

  it('because the mesh is up on other ports', async () => {
    await up();
    const other = ensureUp({ home, env: {}, portBase: portBase + 500, program });
    await expect(other).rejects.toThrow(new RegExp(`the mesh is up already, on ports ${portBase} and up`));
  });
});
