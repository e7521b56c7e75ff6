import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ArtifactStore } from './artifact.store.js';

const content = Buffer.from('some bytes');
const digest = createHash('sha256').update(content).digest('hex');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'store-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function files(): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

async function store(options: Partial<ConstructorParameters<typeof ArtifactStore>[0]> = {}): Promise<ArtifactStore> {
  const made = new ArtifactStore({ folder, maxBytes: 1_000, ...options });
  await made.prepare(Date.now());
  return made;
}

test('a full disk is told as such, with the folder and the cure, and leaves nothing', async () => {
  const failing = await store({
    create: async (path) => {
      const file = await open(path, 'wx');
      return {
        sync: () => file.sync(),
        close: () => file.close(),
        write: (async () => {
          await file.write('part');
          throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        }) as unknown as typeof file.write,
      };
    },
  });
  await expect(failing.write(digest, Readable.from([content]))).rejects.toMatchObject({
    code: 'storage_full',
    message: expect.stringContaining(`in ${folder}; free some`) as string,
  });
  expect(await files()).toEqual([]);
});

test('short writes are gone on with', async () => {
  const slow = await store({
    create: async (path) => {
      const file = await open(path, 'wx');
      return {
        sync: () => file.sync(),
        close: () => file.close(),
        write: ((bytes: Uint8Array, offset: number) => file.write(bytes, offset, 1)) as typeof file.write,
      };
    },
  });
  await slow.write(digest, Readable.from([content]));
  expect(await slow.read(digest).toArray()).toEqual([content]);
});

test('more bytes than the limit are refused with the limit, wrong bytes with both digests, and leave nothing', async () => {
  const small = await store({ maxBytes: 9 });
  await expect(small.write(digest, Readable.from([content]))).rejects.toMatchObject({
    code: 'payload_too_large',
    message: expect.stringContaining('at most 9 bytes') as string,
  });
  await expect((await store()).write('0'.repeat(64), Readable.from([content]))).rejects.toThrow(
    `SHA-256 ${digest}, not ${'0'.repeat(64)}`,
  );
  expect(await files()).toEqual([]);
});

test('a sender that goes away leaves nothing', async () => {
  const source = new Readable({ read: () => undefined });
  source.push(content);
  const writing = (await store()).write(digest, source);
  source.destroy();
  await expect(writing).rejects.toMatchObject({ code: 'invalid_request' });
  expect(await files()).toEqual([]);
});

test('a start removes uploads that were abandoned, and no others', async () => {
  await mkdir(join(folder, 'incoming'));
  await Promise.all(['old', 'new'].map((name) => writeFile(join(folder, 'incoming', name), 'x')));
  await utimes(join(folder, 'incoming', 'old'), 0, 0);
  await store();
  expect(await files()).toEqual(['incoming/new']);
});
