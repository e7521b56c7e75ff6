import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScriptedS3 } from '@devmesh/testing/scripted-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backupTargetConformance } from '../testing/backup-target.conformance.js';
import { backupsAmong, nameAt } from './backup-target.js';
import { openTarget } from './open-target.js';

const folder = mkdtempSync(join(tmpdir(), 'targets-'));
const s3 = new ScriptedS3();
beforeAll(() => s3.start());
afterAll(async () => {
  await s3.stop();
  rmSync(folder, { recursive: true, force: true });
});

let folders = 0;
backupTargetConformance('a folder', async () => openTarget(join(folder, `${folders++}`, 'made', 'by it'), {}));
backupTargetConformance('a scripted S3-compatible store', async () =>
  openTarget(`${s3.url}/${s3.bucket}/prefix-${folders++}/mesh`, s3.credentials),
);

describe('a target that can not be used', () => {
  const secret = { accessKeyId: 'id', secretAccessKey: 'never shown' };
  const path = join(folder, 'file');
  writeFileSync(path, 'bytes');

  test.for([
    ['names no bucket', 'https://fra1.example.org', secret, 'names no bucket'],
    [
      'has credentials in its address',
      'https://id:never@fra1.example.org/bucket',
      secret,
      'credentials in its address',
    ],
    ['has no credentials', 'https://fra1.example.org/bucket', {}, 'DEVMESH_BACKUP_S3_ACCESS_KEY_ID'],
  ] as const)('%s', ([, place, credentials, said]) => {
    const refused = (): unknown => openTarget(place, credentials);
    expect(refused).toThrow(said);
    expect(refused).not.toThrow('never');
  });

  test('an access key that is not known, a bucket that is not there, a store that fails', async () => {
    const at = (bucket: string, credentials = s3.credentials) => openTarget(`${s3.url}/${bucket}`, credentials);
    await expect(at(s3.bucket, secret).put('a', path)).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.not.stringContaining('never shown'),
    });
    await expect(at('other').list()).rejects.toMatchObject({ code: 'not_found' });
    s3.disturb = (call) => (call === 'PUT broken' ? 500 : undefined);
    await expect(at(s3.bucket).put('broken', path)).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('a folder that is a file, with nothing left in it', async () => {
    await expect(openTarget(path, {}).put('a', path)).rejects.toThrow('name a folder that can be written');
    const good = join(folder, 'good');
    await expect(openTarget(good, {}).put('a', join(folder, 'missing'))).rejects.toThrow();
    expect(readdirSync(good)).toEqual([]);
  });
});

test('names tell the time, and nothing else is taken for a backup', () => {
  const name = nameAt(new Date('2026-01-02T03:04:05.678Z'));
  expect(name).toBe('devmesh-2026-01-02T03-04-05Z.backup');
  const older = 'devmesh-2025-12-31T23-59-59Z.backup';
  expect(backupsAmong([older, `${name}.sha256`, 'notes.txt', name])).toEqual([
    { name, at: '2026-01-02T03:04:05.000Z' },
    { name: older, at: '2025-12-31T23:59:59.000Z' },
  ]);
});
