import { execFile } from 'node:child_process';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { freemem, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DevmeshError } from '@devmesh/contracts/errors';
import { runInSandbox } from '@devmesh/sandbox/run-in-sandbox';
import { DEFAULT_PORT_BASE, SERVICE_NAMES } from '@devmesh/contracts/services';
import { bytes, duration, plural } from '../output/text.js';
import { ControlClient } from '../supervisor/control-client.js';
import { openHome, type Home } from '../supervisor/home.js';
import { ask } from '../supervisor/http-probe.js';
import { leftoverProcesses } from '../supervisor/launch.js';
import { assertPortsFree } from '../supervisor/ports.js';
import { postgresAccount } from '../supervisor/postgres/account.js';
import { findBinaries } from '../supervisor/postgres/binaries.js';
import type { MeshStatus } from '../supervisor/protocol.js';
import { readApiKey } from '../supervisor/secrets.js';
import { bad, ok, runChecks, warning, type CheckResult, type Finding } from './check.js';

const run = promisify(execFile);

export interface DoctorFacts {
  readonly home: Home;
  readonly env: NodeJS.ProcessEnv;
  readonly self: string;
  readonly mesh: MeshStatus | null;
}

type Check = (facts: DoctorFacts) => Promise<Finding>;

const GIT_NEEDED = [2, 31] as const;
const DISK_BAD = 300 * 1024 ** 2;
const DISK_LOW = 2 * 1024 ** 3;
const MEMORY_NEEDED = 1.5 * 1024 ** 3;
const CLOCK_TOLERANCE_MS = 2_000;

const git: Check = async () => {
  const cure = `install git ${GIT_NEEDED.join('.')} or newer (https://git-scm.com/downloads)`;
  try {
    const { stdout } = await run('git', ['--version'], { timeout: 10_000 });
    const [major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(stdout)?.slice(1).map(Number) ?? [];
    const old = major < GIT_NEEDED[0] || (major === GIT_NEEDED[0] && minor < GIT_NEEDED[1]);
    return old ? bad(`${stdout.trim()} is too old`, cure) : ok(stdout.trim());
  } catch {
    return bad('git is missing', cure);
  }
};

const node: Check = async () => {
  const major = Number(process.versions.node.split('.')[0]);
  return major >= 24
    ? ok(`Node.js ${process.versions.node}`)
    : bad(
        `Node.js ${process.versions.node} is too old`,
        'call ./devmesh, which brings Node.js 24, instead of its parts',
      );
};

const folder: Check = async ({ home }) => {
  try {
    await openHome(home);
    return ok(`${home.root} can be written`);
  } catch (error) {
    if (!(error instanceof DevmeshError)) throw error;
    const [found = '', ...cure] = error.message.split(': ');
    return bad(found, cure.join(': ') || 'set DEVMESH_HOME to another folder');
  }
};

const disk: Check = async ({ home }) => {
  // The folder may not be there yet: then the disk of the nearest one above it.
  for (let path = home.root; ; path = path.replace(/\/[^/]*$/, '') || '/') {
    try {
      const { bavail, bsize } = await statfs(path);
      const free = bavail * bsize;
      const cure = 'free some (old runs lie in its folder "runs"), or set DEVMESH_HOME to a folder on another disk';
      if (free < DISK_BAD) return bad(`only ${bytes(free)} free for ${home.root}`, cure);
      return free < DISK_LOW ? warning(`${bytes(free)} free for ${home.root}`, cure) : ok(`${bytes(free)} free`);
    } catch (error) {
      if (path === '/') throw error;
    }
  }
};

const memory: Check = async ({ mesh }) => {
  let available = freemem();
  try {
    const { readFile } = await import('node:fs/promises');
    available =
      Number(/^MemAvailable:\s+(\d+) kB/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1]) * 1024 || available;
  } catch {
    // Not Linux: what is free has to do.
  }
  const text = `${bytes(available)} of ${bytes(totalmem())} available`;
  return mesh === null && available < MEMORY_NEEDED
    ? warning(text, `the mesh takes about ${bytes(MEMORY_NEEDED)}: end other programs`)
    : ok(text);
};

const ports: Check = async ({ mesh, env }) => {
  if (mesh !== null) return ok(`${mesh.portBase} to ${mesh.portBase + mesh.services.length - 1}, held by the mesh`);
  const base = Number(env['DEVMESH_PORT_BASE'] || DEFAULT_PORT_BASE);
  try {
    await assertPortsFree(
      SERVICE_NAMES.map((name, i) => ({ name, port: base + i })),
      env['DEVMESH_HOST'] ?? '127.0.0.1',
      base,
    );
    return ok(`${base} to ${base + SERVICE_NAMES.length - 1} are free`);
  } catch (error) {
    if (!(error instanceof DevmeshError)) throw error;
    const at = error.message.lastIndexOf(' taken: ') + ' taken'.length;
    return bad(error.message.slice(0, at), error.message.slice(at + 2));
  }
};

const postgres: Check = async ({ home, env, mesh, self }) => {
  if (mesh !== null) {
    const { database } = mesh;
    const what = `${database.kind === 'embedded' ? 'embedded' : 'yours'}, at ${database.address}`;
    return database.state === 'ready'
      ? ok(what)
      : bad(
          `${what}: ${database.state}${database.lastExit === null ? '' : ` (${database.lastExit})`}`,
          `see ${self} logs postgres`,
        );
  }
  if ((env['DATABASE_URL'] ?? '') !== '') return ok('DATABASE_URL is set; it is checked at the start');
  try {
    const account = await postgresAccount(home.postgres);
    const { major } = await findBinaries(account);
    return ok(`PostgreSQL ${major} is ready to be started${account === null ? '' : ` as ${account.name}`}`);
  } catch (error) {
    if (!(error instanceof DevmeshError)) throw error;
    const [found = '', ...cure] = error.message.split(': ');
    return bad(found, cure.join(': ') || 'set DATABASE_URL');
  }
};

const services: Check = async ({ mesh, self }) => {
  if (mesh === null) return ok(`the mesh is not up (${self} up starts it)`);
  const found = await Promise.all(
    mesh.services.map(async ({ name, address, state, restarts }) => {
      const answer = await ask(`${address}/health/ready`, { timeoutMs: 3_000 }).catch(() => null);
      return { name, well: state === 'ready' && answer?.status === 200, restarts };
    }),
  );
  const ill = found.filter(({ well }) => !well).map(({ name }) => name);
  if (ill.length > 0)
    return bad(
      `${ill.join(', ')} ${ill.length === 1 ? 'is' : 'are'} not ready`,
      `see ${self} status and ${self} logs ${ill[0] ?? ''}; ${self} down and ${self} up start anew`,
    );
  const dying = found
    .filter(({ restarts }) => restarts > 0)
    .map(({ name, restarts }) => `${name} (${plural(restarts, 'death')})`);
  return dying.length > 0
    ? warning(`ready, but ${dying.join(', ')} died lately`, `see ${self} logs ${dying[0]?.split(' ')[0] ?? ''}`)
    : ok(`all ${found.length} are ready`);
};

const key: Check = async ({ mesh, home, self }) => {
  const text = await readApiKey(home);
  if (mesh === null) return ok(text === null ? 'made at the first start' : `in ${home.apiKeyFile}`);
  const answer = await ask(`${mesh.gateway}/v1/whoami`, {
    headers: { authorization: `Bearer ${text ?? ''}` },
    timeoutMs: 5_000,
  }).catch(() => null);
  return answer?.status === 200
    ? ok(`in ${home.apiKeyFile}`)
    : bad(
        `the gateway does not take the key in ${home.apiKeyFile} (${answer?.status ?? 'no answer'})`,
        `${self} down and ${self} up make it known again`,
      );
};

const clock: Check = async ({ mesh }) => {
  const year = new Date().getUTCFullYear();
  if (year < 2025 || year > 2100)
    return bad(`this machine believes it is ${new Date().toISOString()}`, 'set its clock (timedatectl set-ntp true)');
  if (mesh === null) return ok(new Date().toISOString());
  const asked = Date.now();
  const heard = await new Promise<number | null>((resolve) => {
    fetch(`${mesh.gateway}/health/live`, { signal: AbortSignal.timeout(3_000) }).then(
      (answer) => {
        void answer.body?.cancel();
        resolve(Date.parse(answer.headers.get('date') ?? ''));
      },
      () => resolve(null),
    );
  });
  // The header counts whole seconds.
  const off = heard === null || Number.isNaN(heard) ? 0 : Math.abs(heard - asked);
  return off > CLOCK_TOLERANCE_MS
    ? warning(`the gateway's clock is ${duration(off)} off`, 'let both machines keep time (timedatectl set-ntp true)')
    : ok(new Date().toISOString());
};

const leftovers: Check = async ({ home, mesh, self }) => {
  if (mesh !== null) return ok('none');
  const left = await leftoverProcesses(home);
  return left.length === 0
    ? ok('none')
    : bad(left.map(({ name, pid }) => `${name} (process ${pid})`).join(', '), `${self} down ends them`);
};

/** Only who asks for the tests of a repository needs one. */
const sandbox: Check = async ({ self }) => {
  const folder = await mkdtemp(join(tmpdir(), 'devmesh-doctor-'));
  try {
    const outcome = await runInSandbox({ command: ['true'], folder });
    if (outcome.kind === 'exited' && outcome.exitCode === 0) return ok('tests of repositories can be run (bubblewrap)');
    const [why, cure] =
      outcome.kind === 'unavailable'
        ? [outcome.why, outcome.cure]
        : [`a command that does nothing ended with ${outcome.kind}`, 'set DEVMESH_DEBUG=1 and try again'];
    return warning(`none, so that ${self} run --run-tests runs no tests: ${why}`, cure);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** In the order in which they are shown; what others rest on comes first. */
const CHECKS: readonly (readonly [string, Check])[] = [
  ['git', git],
  ['node', node],
  ['data folder', folder],
  ['disk', disk],
  ['memory', memory],
  ['clock', clock],
  ['ports', ports],
  ['postgres', postgres],
  ['services', services],
  ['API key', key],
  ['leftovers', leftovers],
  ['sandbox', sandbox],
];

export async function examine(context: Pick<DoctorFacts, 'home' | 'env' | 'self'>): Promise<CheckResult[]> {
  const found = await ControlClient.connect(context.home).catch(() => null);
  const facts = { ...context, mesh: found?.status ?? null };
  return runChecks(CHECKS, facts);
}
