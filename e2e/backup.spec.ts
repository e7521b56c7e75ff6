import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { BackupReport, DrillReport, RestoreReport } from '@devmesh/contracts/backup';
import type { RunView } from '@devmesh/contracts/gateway-api';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Devmesh } from './support/devmesh.js';

let lost: Devmesh;
let fresh: Devmesh;
let repository: string;
let kept: string;

beforeAll(async () => {
  [lost, fresh] = await Promise.all([Devmesh.make(inject('clone')), Devmesh.make(inject('clone'))]);
  repository = makeRepository([['README.md', 'hello\n']]);
  // Another disk.
  kept = join(fresh.folder, 'kept');
});
afterAll(async () => {
  await Promise.all([lost.remove(), fresh.remove()]);
  removeAll(repository);
});

describe('a mesh that was backed up and then lost', () => {
  it('is back in a fresh one, with its runs and their artifacts', async () => {
    const { data } = await lost.json<{ run: RunView }>(['run', '--repo', repository, '--workflow', 'review']);
    const made = await lost.json<BackupReport>(['backup', '--target', kept]);
    expect(made.stderr).toContain('keep a copy elsewhere');
    expect((await lost.json<DrillReport>(['backup', 'drill', '--target', kept])).data).toMatchObject({
      name: made.data.name,
      passed: true,
    });
    const metrics = await fetch(`http://127.0.0.1:${lost.portBase + 8}/metrics`);
    const last = /^backup_last_success_timestamp_seconds ([\d.]+)/m.exec(await metrics.text())?.[1];
    expect(Number(last)).toBe(Date.parse(made.data.at) / 1000);
    const key = join(fresh.folder, 'backup.key');
    cpSync(join(lost.home, 'secrets', 'backup-key'), key);
    await lost.down();

    await fresh.run(['up'], { env: { DEVMESH_BACKUP_TARGET: kept, DEVMESH_BACKUP_KEY_FILE: key } });
    const from = ['--target', kept, '--key-file', key];
    const { rows, artifacts } = made.data;
    expect((await fresh.json<RestoreReport>(['restore', ...from])).data).toMatchObject({ rows, artifacts });
    expect(await fresh.run(['restore', ...from])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('overwritten'),
    });
    const shown = await fresh.json<{ run: RunView; artifacts: unknown[] }>(['show', data.run.id]);
    expect(shown.data.run).toEqual({ ...data.run, updatedAt: expect.any(String) });
    expect(shown.data.artifacts.length).toBeGreaterThan(0);
    const again = await fresh.json<{ run: RunView }>(['run', '--repo', repository, '--workflow', 'review']);
    expect(again.data.run.verdict).toBe(data.run.verdict);
  });
});
