import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LastBackup } from '@devmesh/contracts/backup';

/** Of a data folder: where backups in the making lie. */
export const backupFolder = (home: string): string => join(home, 'backup');

const fileIn = (home: string): string => join(home, 'last-backup.json');

/** The last backup that reached every target; null when there was none, or its record can't be read. */
export async function readLastBackup(home: string): Promise<LastBackup | null> {
  try {
    return LastBackup.parse(JSON.parse(await readFile(fileIn(home), 'utf8')));
  } catch {
    return null;
  }
}

/** Leaves word in the data folder: the service exports it, and an alert misses it when it is old. */
export async function noteBackup(home: string, last: LastBackup): Promise<void> {
  const aside = `${fileIn(home)}.part`;
  await writeFile(aside, `${JSON.stringify(last)}\n`, { mode: 0o600, flush: true });
  await rename(aside, fileIn(home));
}
