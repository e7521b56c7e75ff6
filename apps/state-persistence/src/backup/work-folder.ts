import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const PREFIX = 'work-';

/** What a killed one left behind this long ago is removed, ms. */
const ABANDONED_MS = 24 * 3600_000;

/** A private folder below `parent` for as long as `work` takes. Backups pass through it before they reach their target. */
export async function inWorkFolder<T>(parent: string, now: Date, work: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  for (const name of await readdir(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(parent, name);
    const found = await stat(path).catch(() => null);
    if (found !== null && now.getTime() - found.mtimeMs > ABANDONED_MS)
      await rm(path, { recursive: true, force: true });
  }
  const folder = await mkdtemp(join(parent, PREFIX));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
