import { constants } from 'node:fs';
import { lstat, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/**
 * Writes a file of a checkout, with the folders it needs. `path` is relative with "/". Throws `forbidden` when the path
 * leaves the checkout or a link lies on the way, `conflict` for a new file that is there already, `storage_full`.
 */
export async function writeTreeFile(
  root: string,
  path: string,
  content: string | Uint8Array,
  mode: 'new' | 'replace',
): Promise<void> {
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git')) {
    throw new DevmeshError('forbidden', `${path} may not be written: it is not a plain path inside the checkout`);
  }
  let folder = root;
  for (const part of parts.slice(0, -1)) {
    folder = join(folder, part);
    await mkdir(folder).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
    if (!(await lstat(folder)).isDirectory()) {
      throw new DevmeshError('forbidden', `${path} may not be written: ${part} is a link or a file, not a folder`);
    }
  }
  const how = mode === 'new' ? constants.O_CREAT | constants.O_EXCL : constants.O_TRUNC;
  try {
    const file = join(folder, parts.at(-1) ?? '');
    const handle = await open(file, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | how, 0o644);
    await handle.writeFile(content).finally(() => handle.close());
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST') throw new DevmeshError('conflict', `${path} exists already and is left as it is`);
    if (code === 'ENOSPC') throw new DevmeshError('storage_full', `no space left to write ${path}: free some`);
    if (code === 'ELOOP' || code === 'EISDIR' || code === 'ENXIO') {
      throw new DevmeshError('forbidden', `${path} may not be written: it is not a regular file`);
    }
    throw error;
  }
}
