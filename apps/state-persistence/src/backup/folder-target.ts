import { copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { BackupTarget } from './backup-target.js';

/** A folder: of another disk, or a mounted volume. */
export class FolderTarget implements BackupTarget {
  readonly name: string;

  constructor(folder: string) {
    this.name = resolve(folder);
  }

  async list(): Promise<string[]> {
    const names = await readdir(this.name).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw folderError(this.name, error);
    });
    return names.filter((name) => !name.endsWith('.part'));
  }

  async put(name: string, path: string): Promise<void> {
    const aside = join(this.name, `${name}.part`);
    try {
      await mkdir(this.name, { recursive: true, mode: 0o700 });
      await copyFile(path, aside);
      await sync(aside);
      await rename(aside, join(this.name, name));
      await sync(this.name);
    } catch (error) {
      await rm(aside, { force: true }).catch(() => undefined);
      throw folderError(this.name, error);
    }
  }

  async get(name: string, path: string): Promise<void> {
    await copyFile(join(this.name, name), path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw new DevmeshError('not_found', `there is no ${name} in ${this.name}`, { cause: error });
      throw folderError(this.name, error);
    });
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.name, name), { force: true });
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function folderError(folder: string, error: unknown): DevmeshError {
  const { code = String(error) } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new DevmeshError('storage_full', `no space is left for backups in ${folder}: free some there`, { cause: error })
    : new DevmeshError('invalid_request', `${folder} can't hold backups (${code}): name a folder that can be written`, {
        cause: error,
      });
}
