import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import { git, GitFailure } from './git.js';
import type { ObjectFormat } from './git-dir.js';

/** The text in front of a bundle's pack. */
export interface BundleHeader {
  readonly objectFormat: ObjectFormat;
  /** Commits that the reader must have. */
  readonly prerequisites: readonly string[];
  readonly refs: readonly { readonly oid: string; readonly name: string }[];
  /** Where the pack begins, in bytes. */
  readonly packOffset: number;
}

const MAX_HEADER_BYTES = 1024 ** 2;

function broken(what: string, why: string, cause?: unknown): DevmeshError {
  return new DevmeshError(
    'invalid_repository',
    `${what} is not a git bundle that can be used: ${why}; pack the repository again`,
    { cause },
  );
}

function parseHeader(text: string, what: string): Omit<BundleHeader, 'packOffset'> {
  const [signature, ...lines] = text.split('\n');
  if (signature !== '# v2 git bundle' && signature !== '# v3 git bundle')
    throw broken(what, 'it does not begin as one');
  let objectFormat: ObjectFormat = 'sha1';
  const prerequisites: string[] = [];
  const refs: { oid: string; name: string }[] = [];
  for (const line of lines) {
    const entry = /^(-?)([0-9a-f]{40}(?:[0-9a-f]{24})?)(?: (.*))?$/.exec(line);
    if (line === '@object-format=sha256') objectFormat = 'sha256';
    else if (line === '@object-format=sha1') objectFormat = 'sha1';
    else if (line.startsWith('@')) throw broken(what, `it asks for "${line.slice(1, 60)}", which is not supported`);
    else if (entry === null) throw broken(what, 'its header is damaged');
    else if (entry[1] === '-') prerequisites.push(entry[2] ?? '');
    else refs.push({ oid: entry[2] ?? '', name: entry[3] ?? '' });
  }
  return { objectFormat, prerequisites, refs };
}

/** Reads a bundle's header. `what` names the bundle in errors. Throws `invalid_repository` for anything else than a whole bundle. */
export async function readBundleHeader(file: string, what: string): Promise<BundleHeader> {
  const handle = await open(file, 'r');
  try {
    let head = Buffer.alloc(0);
    while (head.length < MAX_HEADER_BYTES) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(16 * 1024), 0, 16 * 1024, head.length);
      if (bytesRead === 0) break;
      head = Buffer.concat([head, buffer.subarray(0, bytesRead)]);
      const end = head.indexOf('\n\n');
      if (end !== -1) return { ...parseHeader(head.subarray(0, end).toString('latin1'), what), packOffset: end + 2 };
    }
    throw broken(what, 'its header has no end');
  } finally {
    await handle.close();
  }
}

/**
 * Indexes a bundle's pack into the git directory; git checks every object's hash while it does so. `git bundle unbundle` isn't used because what
 * it wants of refs differs between versions. Throws `invalid_repository` for a damaged pack or missing prerequisites.
 */
export async function unpackBundle(
  gitDir: string,
  file: string,
  header: BundleHeader,
  what: string,
  signal?: AbortSignal,
): Promise<void> {
  const handle = await open(file, 'r');
  try {
    // Reading moves the file's offset, which the child shares: its stdin begins at the pack.
    for (let left = header.packOffset; left > 0;) {
      const { bytesRead } = await handle.read(Buffer.alloc(left), 0, left, null);
      if (bytesRead === 0) throw broken(what, 'it ends early');
      left -= bytesRead;
    }
    await git(['index-pack', '--stdin', '--fix-thin'], { gitDir, inputFd: handle.fd, timeoutMs: 600_000, signal });
  } catch (error) {
    if (error instanceof GitFailure)
      throw broken(what, error.stderr.trim().slice(0, 300) || 'its pack is damaged', error);
    throw error;
  } finally {
    await handle.close();
  }
}

/** Names of the packs of a git directory, without suffix. */
export async function packNames(gitDir: string): Promise<string[]> {
  return (await readdir(join(gitDir, 'objects', 'pack')))
    .filter((name) => name.endsWith('.pack'))
    .map((name) => name.slice(0, -5));
}
