import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import { CLONE, productVersion, revision } from '../clone.js';
import { DEFAULT_BACKOFF } from './backoff.js';
import { ControlServer } from './control-server.js';
import { locateHome, openHome } from './home.js';
import { takeLock } from './lock.js';
import { meshServices, parseInspectorBase, parseInstances, withInspectors } from './mesh-services.js';
import { EXIT_LOCKED, lastErrorFile, type LastError } from './launch-protocol.js';
import { Supervisor } from './supervisor.js';

/*
 * The daemon. Started by `devmesh up` in a session of its own; configured by the environment alone:
 * DEVMESH_HOME, DEVMESH_HOST, DEVMESH_PORT_BASE, DATABASE_URL, DEVMESH_QUEUE_DATABASE_URL, DEVMESH_QUEUE_REDIS_URL,
 * DEVMESH_MESH_FILE, DEVMESH_INSTANCES, DEVMESH_INSPECT (the first inspector port; without it nobody can attach).
 * Ends with 0 after a stop, EXIT_LOCKED when the folder has a supervisor, 1 when the mesh could not be started.
 */

const home = locateHome(process.env, CLONE);
const say = (message: string): void =>
  appendFileSync(
    join(home.logs, 'supervisor.log'),
    `${JSON.stringify({ time: new Date().toISOString(), service: 'supervisor', pid: process.pid, message })}\n`,
    { mode: 0o600 },
  );

async function main(): Promise<number> {
  await openHome(home);
  const lock = await takeLock(home.lockFile);
  if (lock === null) return EXIT_LOCKED;
  const portBase = Number(process.env['DEVMESH_PORT_BASE'] ?? 8000);
  const host = process.env['DEVMESH_HOST'] ?? '127.0.0.1';
  say(`starting, ports ${portBase} and up`);
  const services = meshServices(
    CLONE,
    portBase,
    process.env['DEVMESH_MESH_FILE'],
    parseInstances(process.env['DEVMESH_INSTANCES'] ?? ''),
  );
  const inspect = process.env['DEVMESH_INSPECT'] ?? '';
  const supervisor = new Supervisor({
    home,
    clone: CLONE,
    host,
    portBase,
    services: inspect === '' ? services : withInspectors(services, parseInspectorBase(inspect)),
    env: process.env,
    backoff: DEFAULT_BACKOFF,
    version: productVersion(),
    revision: await revision(),
    patience: 4,
    startTimeoutMs: 90_000,
  });
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const stop = (why: string): void => {
    say(`stopping: ${why}`);
    void supervisor.stop().then(finish, finish);
  };
  const control = new ControlServer(home, supervisor, () => stop('asked to'));
  await control.listen();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stop(name));
  // The terminal that started it may close.
  process.on('SIGHUP', () => {});
  void supervisor.start().then(() => {
    const { phase, error } = supervisor.status();
    say(phase === 'ready' ? 'ready' : `not ready: ${error?.message ?? phase}`);
    if (phase === 'failed') finish();
  });
  await finished;
  const { error } = supervisor.status();
  if (error !== null) report(error);
  await control.close();
  say('ended');
  lock.release();
  return error === null ? 0 : 1;
}

/** For whoever started this and can't be told through the socket. */
function report(error: LastError): void {
  try {
    writeFileSync(lastErrorFile(home), JSON.stringify({ ...error, pid: process.pid }), { mode: 0o600 });
  } catch {
    // Then the exit code has to do.
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    report(
      error instanceof DevmeshError
        ? { code: error.code, message: error.message }
        : {
            code: 'internal',
            message: `the supervisor failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
          },
    );
    process.exit(1);
  },
);
