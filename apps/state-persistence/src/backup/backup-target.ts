import type { BackupItem } from '@devmesh/contracts/backup';
import { DevmeshError } from '@devmesh/contracts/errors';

/** Where backups are kept. Every adapter passes `target-conformance.ts`. */
export interface BackupTarget {
  /** For people and logs: no credentials in it. */
  readonly name: string;
  /** Names of the files that are there wholly, in any order. */
  list(): Promise<string[]>;
  /** Stores a file under a name, wholly or not at all. */
  put(name: string, path: string): Promise<void>;
  /** Fetches into a new file. `not_found` when there is none of that name. */
  get(name: string, path: string): Promise<void>;
  /** One that is not there is fine. */
  remove(name: string): Promise<void>;
}

const NAME = /^devmesh-(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z\.backup$/;

/** `devmesh-2026-01-02T02-00-00Z.backup`. */
export function nameAt(now: Date): string {
  return `devmesh-${now.toISOString().slice(0, 19).replaceAll(':', '-')}Z.backup`;
}

/** The file beside a backup by which anybody can check it without the key: `sha256sum -c`. */
export const checksumName = (name: string): string => `${name}.sha256`;

/** Backups among file names, newest first. */
export function backupsAmong(names: readonly string[]): BackupItem[] {
  return names
    .flatMap((name) => {
      const found = NAME.exec(name);
      return found === null ? [] : [{ name, at: `${found[1]}T${found[2]}:${found[3]}:${found[4]}.000Z` }];
    })
    .toSorted((a, b) => b.at.localeCompare(a.at));
}

/** The backup of that name, or the newest for `latest`. */
export async function findBackup(target: BackupTarget, wanted: string): Promise<BackupItem> {
  const backups = backupsAmong(await target.list());
  const found = wanted === 'latest' ? backups[0] : backups.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const cure = backups.length === 0 ? 'it holds none' : `the newest is ${backups[0]?.name}`;
  throw new DevmeshError('not_found', `there is no backup ${wanted} in ${target.name}: ${cure}`);
}
