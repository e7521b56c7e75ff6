import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readBackup, readKey, verifyBackup, writeBackup } from './backup-file.js';

const folder = mkdtempSync(join(tmpdir(), 'backup-file-'));
afterAll(() => rmSync(folder, { recursive: true }));
const key = Buffer.alloc(32, 7);

async function* lines(count: number, fails = false): AsyncGenerator<string> {
  for (let at = 0; at < count; at++) yield `line ${at}\n`;
  if (fails) throw new Error('the database went away');
}

async function readAll(path: string): Promise<string[]> {
  const all: string[] = [];
  for await (const line of readBackup(path, key)) all.push(line);
  return all;
}

describe('a key file', () => {
  const at = (name: string, text: string, mode = 0o600): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  };

  test('holds 64 hexadecimal digits, for its owner alone', async () => {
    expect(await readKey(at('good', `${'0a'.repeat(32)}\n`))).toEqual(Buffer.alloc(32, 10));
  });

  test.for([
    ['short', '0a'.repeat(31), 0o600, 'no key of 64 hexadecimal digits'],
    ['words', 'never shown '.repeat(6), 0o600, 'no key of 64 hexadecimal digits'],
    ['open', '0a'.repeat(32), 0o640, 'others may read the key file'],
  ] as const)('that is %s is refused, and not shown', async ([name, text, mode, said]) => {
    const refused = readKey(at(name, text, mode));
    await expect(refused).rejects.toThrow(said);
    await expect(refused).rejects.not.toThrow('never shown');
  });

  test('that is not there is told with the cure', async () => {
    await expect(readKey(join(folder, 'none'))).rejects.toThrow('openssl rand -hex 32');
  });
});

describe('a backup file', () => {
  test('gives back its lines, and nothing of them in the clear', async () => {
    const path = join(folder, 'good.backup');
    await writeBackup(path, key, lines(5_000));
    await verifyBackup(path, key);
    expect(await readAll(path)).toEqual(Array.from({ length: 5_000 }, (_, at) => `line ${at}`));
    expect(readFileSync(path).includes('line')).toBe(false);
  });

  test('is another one each time', async () => {
    const [one, two] = [join(folder, 'one.backup'), join(folder, 'two.backup')];
    for (const path of [one, two]) await writeBackup(path, key, lines(1));
    expect(readFileSync(one).equals(readFileSync(two))).toBe(false);
  });

  test('that can not be finished is not there at all, and the one before stays', async () => {
    const path = join(folder, 'kept.backup');
    await writeBackup(path, key, lines(3));
    await expect(writeBackup(path, key, lines(3, true))).rejects.toThrow('the database went away');
    expect(await readAll(path)).toHaveLength(3);
    await expect(writeBackup(join(folder, 'never.backup'), key, lines(3, true))).rejects.toThrow();
    expect(readdirSync(folder).filter((name) => /never|part/.test(name))).toEqual([]);
  });

  // Every byte counts: head, content and tag.
  test.for([0, 9, 17, 30, -17, -1])('with byte %i changed is refused', async (at) => {
    const path = join(folder, `changed${at}.backup`);
    await writeBackup(path, key, lines(10));
    const bytes = readFileSync(path);
    const index = at < 0 ? bytes.length + at : at;
    bytes[index] = (bytes[index] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    await expect(verifyBackup(path, key)).rejects.toMatchObject({ code: 'invalid_request' });
  });
});
