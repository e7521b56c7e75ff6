import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { CreateRun } from '@devmesh/contracts/gateway-api';
import type { MeshApi } from '../gateway/mesh-api.js';
import type { Home } from '../supervisor/home.js';

/** What `--repo` means: a folder of this machine, or an address that the mesh clones. */
export type RepositoryChoice =
  { readonly kind: 'path'; readonly path: string } | { readonly kind: 'url'; readonly url: string };

export function chooseRepository(given: string, cwd: string): RepositoryChoice {
  if (given.trim() === '') throw new DevmeshError('invalid_request', '--repo is empty: give a path or a URL');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(given)) return { kind: 'url', url: given };
  const path = resolve(cwd, given);
  // The short form of ssh, unless there is such a folder.
  const short = /^(?:([\w.-]+)@)?([\w.-]+):(?!\/\/)(.+)$/.exec(given);
  if (short !== null && !existsSync(path)) {
    const [, user, host = '', rest = ''] = short;
    return { kind: 'url', url: `ssh://${user === undefined ? '' : `${user}@`}${host}/${rest.replace(/^\//, '')}` };
  }
  return { kind: 'path', path };
}

async function fileDigest(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}

export interface PackedForRun {
  /** Top folder of the working tree. */
  readonly root: string;
  readonly body: NonNullable<CreateRun['repository']>;
  readonly fileCount: number;
  upload(api: MeshApi): Promise<void>;
  /** Removes the temporary files. */
  dispose(): Promise<void>;
}

const PACK_NAME = /^pack-(\d+)-[0-9a-f]{8}\.bundle/;

/** Removes what calls that were killed left behind: nobody else ever would. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = PACK_NAME.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(folder, name), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Packs a repository for its journey. Nothing of the repository is changed or run. */
export async function packForRun(
  home: Home,
  path: string,
  ref: string | undefined,
  signal: AbortSignal,
): Promise<PackedForRun> {
  const { packRepository } = await import('@devmesh/repository/pack');
  await sweep(home.cache);
  const outFile = join(home.cache, `pack-${process.pid}-${randomBytes(4).toString('hex')}.bundle`);
  const historyFile = `${outFile}.history`;
  const dispose = async (): Promise<void> => {
    await Promise.all([outFile, historyFile].map((file) => rm(file, { force: true })));
  };
  try {
    const packed = await packRepository(path, { outFile, signal, ...(ref === undefined ? {} : { ref }) });
    const { inspection, history } = packed;
    if (history !== undefined) await writeFile(historyFile, JSON.stringify(history));
    const files = new Map([[await fileDigest(outFile), outFile]]);
    const [digest = ''] = files.keys();
    const told = history === undefined ? undefined : await fileDigest(historyFile);
    if (told !== undefined) files.set(told, historyFile);
    return {
      root: inspection.root,
      fileCount: inspection.fileCount,
      body: {
        ref: { bundles: [digest], commit: packed.commit, base: packed.base, shallow: packed.shallow },
        origin: inspection.root,
        ...(inspection.ref === null ? {} : { branch: inspection.ref }),
        notices: [...packed.notices],
        ...(told === undefined ? {} : { history: told }),
      },
      upload: async (api) => {
        for (const [content, file] of files) if (!(await api.hasArtifact(content))) await api.putArtifact(file);
      },
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
