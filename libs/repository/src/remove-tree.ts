import { chmod, lstat, readdir, rm } from 'node:fs/promises';

async function makeRemovable(folder: Buffer): Promise<void> {
  await chmod(folder, 0o700);
  for (const name of await readdir(folder, { encoding: 'buffer' })) {
    const path = Buffer.concat([folder, Buffer.from('/'), name]);
    if ((await lstat(path)).isDirectory()) await makeRemovable(path);
  }
}

/** Removes a folder with everything in it, also where a tool has left folders that may not be written. A missing one is fine. */
export async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await makeRemovable(Buffer.from(folder));
    await rm(folder, { recursive: true, force: true });
  }
}
