import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DevmeshError, ErrorCode } from '@devmesh/contracts/errors';
import { DEFAULT_PORT_BASE } from '@devmesh/contracts/services';
import { ControlClient } from './control-client.js';
import { openHome, readHomeFormat, type Home } from './home.js';
import { EXIT_LOCKED, lastErrorFile, type LastError } from './launch-protocol.js';
import { serversOn, clearStaleServer } from './postgres/stale.js';
import { endProcesses, isAlive, livingProcesses, processStart, type RecordedProcess } from './processes.js';
import type { MeshStatus } from './protocol.js';

export interface LaunchOptions {
  readonly home: Home;
  readonly env: NodeJS.ProcessEnv;
  /** Asked for on the command line; undefined: whatever it is. */
  readonly portBase: number | undefined;
  readonly changed?: (status: MeshStatus) => void;
  /** The program of the supervisor; another one in tests. */
  readonly program?: { readonly path: string; readonly args: readonly string[] };
}

export interface Launched {
  readonly status: MeshStatus;
  /** Whether this call started it. */
  readonly fresh: boolean;
}

const supervisorMain = fileURLToPath(new URL('main.js', import.meta.url));

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The port base that an option or the environment asks for. */
export function parsePortBase(text: string): number {
  const base = Number(text);
  if (!/^\d+$/.test(text.trim()) || base < 1024 || base > 65_535 - 9) {
    throw new DevmeshError(
      'invalid_request',
      `a port base is a number from 1024 to ${65_535 - 9}, not "${text}": nine ports from there on are used`,
    );
  }
  return base;
}

function refuseOtherPorts(status: MeshStatus, asked: number | undefined): void {
  if (asked !== undefined && asked !== status.portBase) {
    throw new DevmeshError(
      'conflict',
      `the mesh is up already, on ports ${status.portBase} and up: stop it with ./devmesh down first, or leave --port-base ${asked} out`,
    );
  }
}

/** One that still answers but will not be there for long: nothing can be asked of it any more. */
const isEnding = ({ phase }: MeshStatus): boolean => phase === 'stopping' || phase === 'stopped' || phase === 'failed';

/** Makes sure that the mesh is up and ready; of several callers one starts it and the others join. */
export async function ensureUp(options: LaunchOptions): Promise<Launched> {
  const { home, env, portBase } = options;
  await readHomeFormat(home);
  const found = await ControlClient.connect(home);
  if (found !== null && !isEnding(found.status)) {
    refuseOtherPorts(found.status, portBase);
    return { status: await follow(found.client, options), fresh: false };
  }
  await openHome(home);
  const base = portBase ?? parsePortBase(env['DEVMESH_PORT_BASE'] || String(DEFAULT_PORT_BASE));
  // One that is stopping, or a loser of the race, lets go of the lock before long.
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const launched = await startOne(options, base);
    if (launched === 'busy') {
      await pause(100);
      continue;
    }
    refuseOtherPorts(launched.status, portBase);
    return launched;
  }
  throw new DevmeshError(
    'unavailable',
    `another supervisor holds ${home.lockFile} and does not answer: end it (./devmesh down), then try again`,
  );
}

async function startOne(options: LaunchOptions, base: number): Promise<Launched | 'busy'> {
  const { home, env } = options;
  const program = options.program ?? {
    path: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', supervisorMain],
  };
  await rm(lastErrorFile(home), { force: true });
  const log = openSync(join(home.logs, 'supervisor.log'), 'a', 0o600);
  const { NODE_OPTIONS: _, ...clean } = env;
  const child = spawn(program.path, program.args, {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...clean, DEVMESH_HOME: home.root, DEVMESH_PORT_BASE: String(base) },
  });
  closeSync(log);
  const exit: { code: number | null } = { code: null };
  child.once('exit', (code) => {
    exit.code = code ?? 1;
  });
  child.once('error', () => {
    exit.code = 1;
  });
  child.unref();
  try {
    for (;;) {
      const found = await ControlClient.connect(home);
      const ours = found?.status.pid === child.pid;
      if (found !== null && (ours || !isEnding(found.status))) {
        return { status: await follow(found.client, options), fresh: ours };
      }
      if (exit.code === EXIT_LOCKED) return 'busy';
      if (exit.code !== null) throw await startError(home);
      await pause(15);
    }
  } finally {
    child.removeAllListeners();
  }
}

async function startError(home: Home): Promise<DevmeshError> {
  try {
    const { code, message } = JSON.parse(await readFile(lastErrorFile(home), 'utf8')) as LastError;
    return toError({ code, message });
  } catch {
    return new DevmeshError(
      'unavailable',
      `the supervisor ended without a word: see ${join(home.logs, 'supervisor.log')}`,
    );
  }
}

function toError({ code, message }: LastError): DevmeshError {
  const known = ErrorCode.safeParse(code);
  return new DevmeshError(known.success ? known.data : 'internal', message);
}

async function follow(client: ControlClient, { home, changed }: LaunchOptions): Promise<MeshStatus> {
  let last: MeshStatus | null = null;
  for await (const status of client.watch()) {
    last = status;
    changed?.(status);
    if (status.phase === 'ready') return status;
    if (status.phase === 'failed' && status.error !== null) throw toError(status.error);
  }
  if (last?.phase === 'stopping' || last?.phase === 'stopped') {
    throw last.error === null
      ? new DevmeshError(
          'shutting_down',
          'the mesh was stopped while it was starting: start it again with ./devmesh up',
        )
      : toError(last.error);
  }
  throw await startError(home);
}

export interface Downed {
  readonly wasUp: boolean;
  /** What had to be ended beside an orderly stop. */
  readonly swept: readonly RecordedProcess[];
  /** What could not be ended. */
  readonly left: readonly RecordedProcess[];
}

/** Everything that runs for a data folder and is not under a living supervisor's care. */
export async function leftoverProcesses(home: Home): Promise<RecordedProcess[]> {
  const recorded = await livingProcesses(join(home.run, 'processes.json'));
  const servers = await serversOn(home.postgres);
  return [...recorded, ...servers.filter(({ pid }) => !recorded.some((known) => known.pid === pid))];
}

/** Stops the mesh and sweeps up what a killed supervisor may have left. Idempotent. */
export async function takeDown(home: Home, changed?: (status: MeshStatus) => void): Promise<Downed> {
  await readHomeFormat(home);
  const found = await ControlClient.connect(home);
  let supervisor: RecordedProcess | null = null;
  if (found !== null) {
    const started = await processStart(found.status.pid);
    if (started !== null) supervisor = { name: 'supervisor', pid: found.status.pid, started };
    const over = (async (): Promise<void> => {
      for await (const status of found.client.watch()) changed?.(status);
    })().catch(() => {});
    await found.client.stop();
    // More than the longest orderly stop: graces of services, then of the database.
    const timer = new AbortController();
    await Promise.race([over, pauseUntil(45_000, timer.signal)]);
    timer.abort();
    for (let i = 0; i < 100 && supervisor !== null && (await isAlive(supervisor)); i++) await pause(20);
  }
  const overdue = supervisor !== null && (await isAlive(supervisor)) ? [supervisor] : [];
  await endProcesses(overdue, 0);
  // Their pipes are broken now; they have their time to end by themselves.
  const before = await leftoverProcesses(home);
  if (before.length === 0) return { wasUp: found !== null, swept: overdue, left: [] };
  await endProcesses(
    before.filter(({ name }) => name !== 'postgres'),
    5_000,
  );
  await clearStaleServer(home.postgres);
  await rm(join(home.run, 'processes.json'), { force: true });
  await rm(join(home.run, 'control.json'), { force: true });
  return { wasUp: found !== null, swept: [...overdue, ...before], left: await leftoverProcesses(home) };
}

async function pauseUntil(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
