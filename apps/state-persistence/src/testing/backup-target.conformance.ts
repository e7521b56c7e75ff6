import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BackupTarget } from '../backup/backup-target.js';

/** What every keeper of backups must do. `open` gives an empty one. */
export function backupTargetConformance(what: string, open: () => Promise<BackupTarget>): void {
  describe(`${what} keeps backups`, () => {
    let folder: string;
    let target: BackupTarget;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'backup-target-'));
      target = await open();
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    async function file(name: string, bytes: Buffer): Promise<string> {
      const path = join(folder, name);
      await writeFile(path, bytes);
      return path;
    }

    test('holds nothing at first', async () => {
      expect(await (await open()).list()).toEqual([]);
    });

    // The second is larger than a part of an upload.
    test.for([
      ['small.backup', 100],
      ['large.backup', 20 * 1024 * 1024],
    ] as const)('gives back what was put: %s', async ([name, size]) => {
      const bytes = randomBytes(size);
      await target.put(name, await file(`${name}.in`, bytes));
      expect(await target.list()).toContain(name);
      const path = join(folder, `${name}.out`);
      await target.get(name, path);
      expect((await readFile(path)).equals(bytes)).toBe(true);
    });

    test('puts over what is there, and removes it; twice is fine', async () => {
      await target.put('again.backup', await file('one', Buffer.from('one')));
      await target.put('again.backup', await file('two', Buffer.from('two')));
      await target.get('again.backup', join(folder, 'again'));
      expect(await readFile(join(folder, 'again'), 'utf8')).toBe('two');
      await target.remove('again.backup');
      await target.remove('again.backup');
      expect(await target.list()).not.toContain('again.backup');
    });

    test('says what is not there', async () => {
      await expect(target.get('none.backup', join(folder, 'none'))).rejects.toMatchObject({ code: 'not_found' });
    });
  });
}
