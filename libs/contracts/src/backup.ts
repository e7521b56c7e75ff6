import { z } from 'zod';

/** Recovery aims: a drill is held to them. RTO: how long a restore may take; RPO: how old the newest backup may be; ms. */
export const RTO_MS = 4 * 3600_000;
export const RPO_MS = 24 * 3600_000;

const Counts = { rows: z.int().nonnegative(), artifacts: z.int().nonnegative() };

/** One backup of a target. */
export const BackupItem = z.object({ name: z.string(), at: z.iso.datetime() });
export type BackupItem = z.infer<typeof BackupItem>;

/** What a target holds, newest first. `target` names a folder, or an S3-compatible bucket without credentials. */
export const BackupList = z.object({ target: z.string(), backups: z.array(BackupItem) });
export type BackupList = z.infer<typeof BackupList>;

/** A backup that was made and lies in all of `targets`. */
export const BackupReport = z.object({
  ...BackupItem.shape,
  targets: z.array(z.string()).min(1),
  ...Counts,
  /** Artifacts on record whose file was not in the store: after a crash in mid-upload, or damage. They are not in the backup. */
  missing: z.int().nonnegative(),
  /** Bytes of the file. */
  size: z.int().positive(),
  tookMs: z.number().nonnegative(),
  /** Old backups that no day, week or month keeps any more. */
  removed: z.array(z.string()),
});
export type BackupReport = z.infer<typeof BackupReport>;

/** A backup that was restored. `ageMs`: from the snapshot to the start of the restore. */
export const RestoreReport = z.object({
  ...BackupItem.shape,
  target: z.string(),
  ...Counts,
  tookMs: z.number().nonnegative(),
  ageMs: z.number(),
});
export type RestoreReport = z.infer<typeof RestoreReport>;

export const DrillCheck = z.object({ name: z.string(), ok: z.boolean(), found: z.string() });
export type DrillCheck = z.infer<typeof DrillCheck>;

/** A restore into a scratch database, and what was found there. */
export const DrillReport = z.object({ ...RestoreReport.shape, checks: z.array(DrillCheck), passed: z.boolean() });
export type DrillReport = z.infer<typeof DrillReport>;

/** Kept in the data folder: the last backup that reached every target. */
export const LastBackup = z.object({ ...BackupItem.shape, targets: z.array(z.string()) });
export type LastBackup = z.infer<typeof LastBackup>;
