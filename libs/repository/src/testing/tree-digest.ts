import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readFileSync } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';

const STREAM_FROM_BYTES = 1024n ** 2n;

async function fileDigest(path: Buffer, size: bigint): Promise<string> {
  const hash = createHash('sha256');
  if (size < STREAM_FROM_BYTES) return hash.update(readFileSync(path)).digest('hex');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/**
 * Every entry below a folder, `.git` included, by its path (bytes as latin1): kind, mode, time of last change, and content (digest, target
 * of a link). Two equal maps are two folders that are the same byte for byte and that nobody has rewritten.
 * Times of folders are left out: making a file beside others changes them.
 */
export async function treeDigest(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const walk = async (path: Buffer, relative: string): Promise<void> => {
    for (const name of (await readdir(path, { encoding: 'buffer' })).sort(Buffer.compare)) {
      const full = Buffer.concat([path, Buffer.from('/'), name]);
      const key = relative === '' ? name.toString('latin1') : `${relative}/${name.toString('latin1')}`;
      const stat = lstatSync(full, { bigint: true });
      const head = `${stat.mode.toString(8)}`;
      if (stat.isDirectory()) {
        found.set(key, head);
        await walk(full, key);
      } else if (stat.isSymbolicLink())
        found.set(key, `${head} -> ${(await readlink(full, { encoding: 'buffer' })).toString('latin1')}`);
      else if (stat.isFile()) found.set(key, `${head} ${stat.mtimeNs} ${await fileDigest(full, stat.size)}`);
      else found.set(key, head);
    }
  };
  await walk(Buffer.from(folder), '');
  return found;
}

/** Paths that were added (`+`), removed (`-`) or changed (`~`) between two digests, sorted. Empty for equal folders. */
export function treeChanges(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const changes: string[] = [];
  for (const [path, value] of after) {
    if (!before.has(path)) changes.push(`+${path}`);
    else if (before.get(path) !== value) changes.push(`~${path}`);
  }
  for (const path of before.keys()) if (!after.has(path)) changes.push(`-${path}`);
  return changes.sort();
}
