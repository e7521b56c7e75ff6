import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from '@devmesh/testing/peers';
import { startPostgres, type PostgresServer } from '@devmesh/testing/postgres';
import { startS3, type S3Server } from '@devmesh/testing/s3-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { backupTargetConformance } from '../testing/backup-target.conformance.js';
import { createBackupFixture, type BackupFixture } from '../testing/backup.fixture.js';
import { BackupService, type BackupOptions } from './backup.service.js';
import { openTarget } from './open-target.js';

describeWith(['versitygw'], 'with a real S3 server', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3(['backups']);
  });
  afterAll(() => server.stop());

  let prefixes = 0;
  backupTargetConformance('it', async () =>
    openTarget(`${server.url}/backups/mesh-${prefixes++}?region=us-east-1`, server.credentials),
  );

  test('a wrong secret is refused by the server, and not told', async () => {
    const path = join(tmpdir(), `devmesh-s3-secret-${process.pid}`);
    writeFileSync(path, 'bytes');
    const wrong = { ...server.credentials, secretAccessKey: 'never shown' };
    await expect(openTarget(`${server.url}/backups`, wrong).put('a', path)).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.not.stringContaining('never shown'),
    });
    rmSync(path);
  });
});

describeWith(['versitygw'], 'a mesh whose backups go to a region and a second one, each a real S3 server', () => {
  let postgres: PostgresServer;
  let fixture: BackupFixture;
  let regions: readonly [S3Server, S3Server];
  let options: BackupOptions;

  beforeAll(async () => {
    postgres = await startPostgres();
    fixture = await createBackupFixture(postgres.url);
    regions = [await startS3(['near']), await startS3(['far'])];
    const [near, far] = regions;
    options = {
      place: fixture.source,
      home: fixture.folder,
      key: Buffer.alloc(32, 7),
      target: openTarget(`${near.url}/near/mesh`, near.credentials),
      copyTarget: openTarget(`${far.url}/far/mesh`, far.credentials),
      now: () => new Date(),
      drillUrl: fixture.source.url,
    };
  });
  afterAll(async () => {
    for (const region of regions) await region.stop();
    await fixture.close();
    await postgres.stop();
  });

  test('comes back from the second when what the first has was cut short', async () => {
    const { name } = await new BackupService(options).make();
    const [near, far] = regions;
    const files = [join(near.folder, 'near/mesh', name), join(far.folder, 'far/mesh', name)] as const;
    expect(readFileSync(files[0]).equals(readFileSync(files[1]))).toBe(true);
    expect((await new BackupService(options).drill('latest')).passed).toBe(true);

    writeFileSync(files[0], readFileSync(files[0]).subarray(0, -1));
    const place = await fixture.empty('lost');
    await expect(new BackupService({ ...options, place }).restore('latest')).rejects.toThrow('truncated or altered');
    expect(await fixture.query(place.url, `SELECT to_regclass('runs') AS runs`)).toEqual([{ runs: null }]);

    const second = options.copyTarget ?? options.target;
    expect(await new BackupService({ ...options, place, target: second }).restore(name)).toMatchObject({
      name,
      artifacts: 1,
    });
  });
});
