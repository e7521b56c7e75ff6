import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RPO_MS, RTO_MS } from '@devmesh/contracts/backup';
import type { BackupItem, BackupList, BackupReport, DrillReport, RestoreReport } from '@devmesh/contracts/backup';
import { DevmeshError } from '@devmesh/contracts/errors';
import { checksumOf } from './backup-file.js';
import { backupsAmong, checksumName, findBackup, nameAt, type BackupTarget } from './backup-target.js';
import { inScratchPlace, lookOver } from './drill.js';
import { dump, type DumpCounts } from './dump.js';
import { expired } from './keep.js';
import { backupFolder, noteBackup } from './last-backup.js';
import type { BackupPlace } from './lines.js';
import { restore } from './restore.js';
import { inWorkFolder } from './work-folder.js';

export interface BackupOptions {
  readonly place: BackupPlace;
  /** The data folder. */
  readonly home: string;
  readonly key: Buffer;
  readonly target: BackupTarget;
  /** Gets a copy of each backup; null: there is none. */
  readonly copyTarget: BackupTarget | null;
  readonly now: () => Date;
  /** Where a drill may make its scratch database. */
  readonly drillUrl: string;
}

/** A snapshot is taken anew when an artifact was collected while it was copied. */
const SNAPSHOTS = 3;

export async function listBackups(target: BackupTarget): Promise<BackupList> {
  return { target: target.name, backups: backupsAmong(await target.list()) };
}

/** Makes backups, brings them back, and tries whether they can be brought back. */
export class BackupService {
  constructor(private readonly options: BackupOptions) {}

  /** A new backup in every target; then what nothing keeps any more is removed from each. On record once all have it. */
  async make(): Promise<BackupReport> {
    const { home, target, copyTarget, now } = this.options;
    const started = now();
    const name = nameAt(started);
    const targets = copyTarget === null ? [target] : [target, copyTarget];
    return inWorkFolder(backupFolder(home), started, async (folder) => {
      const path = join(folder, name);
      const counts = await this.#dump(path, started);
      const { size } = await stat(path);
      const checksum = join(folder, checksumName(name));
      await writeFile(checksum, `${await checksumOf(path)}  ${name}\n`, { mode: 0o600 });
      const removed: string[] = [];
      for (const one of targets) {
        await one.put(name, path);
        await one.put(checksumName(name), checksum);
        removed.push(...(await removeExpired(one)));
      }
      const at = started.toISOString();
      const names = targets.map((one) => one.name);
      await noteBackup(home, { name, at, targets: names });
      const tookMs = now().getTime() - started.getTime();
      return { name, at, targets: names, ...counts, size, tookMs, removed: [...new Set(removed)] };
    });
  }

  /** Brings a backup (its name, or `latest`) into a database without runs. Refused ones leave everything as it is. */
  async restore(wanted: string): Promise<RestoreReport> {
    const { place } = this.options;
    return this.#fetched(wanted, (path, item, started) => this.#restored(path, item, started, place));
  }

  /** Brings a backup into a scratch database and store, looks it over, and removes them. */
  async drill(wanted: string): Promise<DrillReport> {
    const { drillUrl, now } = this.options;
    return this.#fetched(wanted, (path, item, started, folder) =>
      inScratchPlace(drillUrl, join(folder, 'artifacts'), started, async (scratch) => {
        const report = await this.#restored(path, item, started, scratch);
        const looked = await lookOver(scratch, report);
        // The look is part of what has to be done before the mesh is up again.
        const tookMs = now().getTime() - started.getTime();
        const checks = [...looked, ...aims({ ageMs: report.ageMs, tookMs })];
        return { ...report, tookMs, checks, passed: checks.every(({ ok }) => ok) };
      }),
    );
  }

  async #dump(path: string, at: Date): Promise<DumpCounts> {
    const { place, key } = this.options;
    for (let left = SNAPSHOTS - 1; ; left--) {
      try {
        return await dump(place, { path, key }, at);
      } catch (error) {
        if (left === 0 || !(error instanceof DevmeshError && error.retryable && error.code === 'conflict')) throw error;
      }
    }
  }

  async #fetched<T>(
    wanted: string,
    use: (path: string, item: BackupItem, started: Date, folder: string) => Promise<T>,
  ): Promise<T> {
    const { home, target, now } = this.options;
    const started = now();
    const item = await findBackup(target, wanted);
    return inWorkFolder(backupFolder(home), started, async (folder) => {
      const path = join(folder, item.name);
      await target.get(item.name, path);
      await checkSum(target, item.name, path);
      return use(path, item, started, folder);
    });
  }

  async #restored(path: string, item: BackupItem, started: Date, place: BackupPlace): Promise<RestoreReport> {
    const { key, target, now } = this.options;
    await place.store.prepare(started.getTime());
    const { at, rows, artifacts } = await restore(place, { path, key });
    return {
      name: item.name,
      at: at.toISOString(),
      target: target.name,
      rows,
      artifacts,
      tookMs: now().getTime() - started.getTime(),
      ageMs: started.getTime() - at.getTime(),
    };
  }
}

/** Refuses a file that is another one than was put there. One without its sum is left to its seal. */
async function checkSum(target: BackupTarget, name: string, path: string): Promise<void> {
  const sumPath = `${path}.sum`;
  try {
    await target.get(checksumName(name), sumPath);
  } catch (error) {
    if (error instanceof DevmeshError && error.code === 'not_found') return;
    throw error;
  }
  const wanted = (await readFile(sumPath, 'utf8')).split(' ')[0];
  const found = await checksumOf(path);
  if (found !== wanted)
    throw new DevmeshError(
      'invalid_request',
      `${name} in ${target.name} was truncated or altered (its SHA-256 is ${found}, ${checksumName(name)} says ${wanted}): take another backup`,
    );
}

async function removeExpired(target: BackupTarget): Promise<string[]> {
  const kept = backupsAmong(await target.list()).map(({ name, at }) => ({ name, at: new Date(at) }));
  const old = expired(kept).map(({ name }) => name);
  for (const name of old) {
    await target.remove(name);
    await target.remove(checksumName(name));
  }
  return old;
}

function aims({ ageMs, tookMs }: Pick<RestoreReport, 'ageMs' | 'tookMs'>): DrillReport['checks'] {
  const hours = (ms: number): string => `${(ms / 3600_000).toFixed(2)} h`;
  return [
    { name: 'RPO', ok: ageMs <= RPO_MS, found: `age ${hours(ageMs)}, at most ${hours(RPO_MS)}` },
    { name: 'RTO', ok: tookMs <= RTO_MS, found: `took ${hours(tookMs)}, at most ${hours(RTO_MS)}` },
  ];
}
