import type { BackupTarget } from './backup-target.js';
import { FolderTarget } from './folder-target.js';
import { S3Target, type S3Credentials } from './s3-target.js';

/** A folder, or `https://ENDPOINT/BUCKET[/PREFIX][?region=REGION]` of an S3-compatible store. */
export function openTarget(place: string, credentials: S3Credentials): BackupTarget {
  return /^https?:\/\//.test(place) ? S3Target.at(place, credentials) : new FolderTarget(place);
}
