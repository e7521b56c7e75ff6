import { readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { LastBackup } from '@devmesh/contracts/backup';
import { productVersion, revision } from '../clone.js';
import type { CliContext } from '../context.js';
import { ControlClient } from '../supervisor/control-client.js';
import type { MeshStatus } from '../supervisor/protocol.js';
import { readCommand } from '../supervisor/processes.js';

/** What is to be judged before a mesh serves in production. No secret is among it. */
export interface ProductionFacts {
  readonly mesh: Pick<MeshStatus, 'version' | 'revision' | 'database'> | null;
  readonly installed: { readonly version: string; readonly revision: string | null };
  /** Settings in force: those that the running services were started with; of this call where there are none. */
  readonly settings: NodeJS.ProcessEnv;
  readonly home: string;
  /** Of the supervisor; null when it is not known. */
  readonly uid: number | null;
  /** Services that a debugger may attach to. */
  readonly debuggable: readonly string[];
  /** Files with secrets, and their modes. */
  readonly secretFiles: readonly { readonly path: string; readonly mode: number }[];
  /** Of the database, from its URL. */
  readonly databaseUrl: URL | null;
  readonly lastBackup: LastBackup | null;
  readonly freeBytes: number;
  readonly freeShare: number;
  readonly now: number;
}

/** Reads the facts of this machine and of the mesh that is up on it. */
export async function productionFacts({ home, env }: Pick<CliContext, 'home' | 'env'>): Promise<ProductionFacts> {
  const mesh = (await ControlClient.connect(home).catch(() => null))?.status ?? null;
  const services = mesh?.services ?? [];
  const environments = (await Promise.all(services.map(({ pid }) => environmentOf(pid)))).filter((one) => one !== null);
  // A service is told only what is its business, so all of them together say what the mesh was started with.
  const settings =
    environments.length === 0 ? env : Object.fromEntries(environments.flatMap((each) => Object.entries(each)));
  const commands = await Promise.all(services.map(async ({ pid }) => (pid === null ? null : readCommand(pid))));
  // The data folder can't be opened: another check says so.
  const disk = await statfs(home.root).catch(() => statfs('/'));
  return {
    mesh,
    installed: { version: productVersion(), revision: await revision() },
    settings,
    home: home.root,
    uid: mesh === null ? null : await ownerOf(mesh.pid),
    debuggable: services.flatMap(({ name }, i) => (/\s--inspect/.test(commands[i] ?? '') ? [name] : [])),
    secretFiles: await secretFiles(home.apiKeyFile, home.secrets, settings),
    databaseUrl: await databaseUrl(settings),
    lastBackup: await lastBackup(home.root),
    freeBytes: disk.bavail * disk.bsize,
    freeShare: disk.bavail / disk.blocks,
    now: Date.now(),
  };
}

/** As Linux tells it to the owner of the process; null elsewhere. */
async function environmentOf(pid: number | null): Promise<NodeJS.ProcessEnv | null> {
  try {
    const text = await readFile(`/proc/${pid}/environ`, 'utf8');
    const pairs = text.split('\0').filter((line) => line.includes('='));
    return Object.fromEntries(
      pairs.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  } catch {
    return null;
  }
}

async function ownerOf(pid: number): Promise<number | null> {
  return stat(`/proc/${pid}`).then(
    ({ uid }) => uid,
    () => null,
  );
}

const NAMES = ['internal-token', 'database-admin-password', 'database-password', 'queue-password', 'database-url'];

async function secretFiles(
  apiKey: string,
  folder: string,
  settings: NodeJS.ProcessEnv,
): Promise<{ path: string; mode: number }[]> {
  const named = Object.entries(settings).flatMap(([name, path]) =>
    /^DEVMESH_.*_FILE$|^DATABASE_URL_FILE$/.test(name) && path ? [path] : [],
  );
  const paths = new Set([apiKey, folder, ...NAMES.map((name) => join(folder, name)), ...named]);
  const found = await Promise.all(
    [...paths].map((path) =>
      stat(path).then(
        ({ mode }) => [{ path, mode: mode & 0o777 }],
        () => [],
      ),
    ),
  );
  return found.flat();
}

async function databaseUrl(settings: NodeJS.ProcessEnv): Promise<URL | null> {
  const file = settings['DATABASE_URL_FILE'];
  const text = settings['DATABASE_URL'] ?? (file === undefined ? '' : await readFile(file, 'utf8').catch(() => ''));
  return URL.canParse(text.trim()) ? new URL(text.trim()) : null;
}

async function lastBackup(home: string): Promise<LastBackup | null> {
  try {
    return LastBackup.parse(JSON.parse(await readFile(join(home, 'last-backup.json'), 'utf8')));
  } catch {
    return null;
  }
}
