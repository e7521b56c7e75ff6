import { posix } from 'node:path';
import type { RepositoryNotice } from '@devmesh/contracts/repository';
import { git, splitNul } from './git.js';
import { decodePath, showNames, type RepositoryPath } from './names.js';

/** One entry of a commit's tree. `size` in bytes; null for a submodule, or when the object is missing. */
export interface TreeEntry extends RepositoryPath {
  readonly kind: 'file' | 'executable' | 'link' | 'submodule';
  readonly oid: string;
  readonly size: number | null;
}

const MAX_LISTING_BYTES = 512 * 1024 ** 2;
const LARGE_FILE_BYTES = 10 * 1024 ** 2;
/** The specification of LFS bounds a pointer to less than 1024 bytes; the shortest that can be valid is about 120. */
const LFS_POINTER = { min: 100, max: 1023, start: Buffer.from('version https://git-lfs.github.com/spec/v1\n') };
const MAX_LINK_BYTES = 4096;
const OBJECTS_PER_CALL = 20_000;

const KINDS: Readonly<Record<string, TreeEntry['kind']>> = {
  '120000': 'link',
  '160000': 'submodule',
  '100755': 'executable',
};

/** Every file, link and submodule of a commit, in git's order. */
export async function listTree(gitDir: string, commit: string, signal?: AbortSignal): Promise<TreeEntry[]> {
  const { stdout } = await git(['ls-tree', '-r', '-z', '-l', '--full-tree', commit], {
    gitDir,
    maxBytes: MAX_LISTING_BYTES,
    signal,
  });
  return splitNul(stdout).map((line) => {
    const tab = line.indexOf(9);
    const [mode = '', , oid = '', size = '-'] = line.subarray(0, tab).toString('latin1').split(/ +/);
    return {
      ...decodePath(line.subarray(tab + 1)),
      kind: KINDS[mode] ?? 'file',
      oid,
      size: /^\d+$/.test(size) ? Number(size) : null,
    };
  });
}

/** Contents of small objects, by id; missing ones are left out. */
export async function readObjects(
  gitDir: string,
  oids: readonly string[],
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Map<string, Buffer>> {
  const contents = new Map<string, Buffer>();
  const wanted = [...new Set(oids)];
  for (let from = 0; from < wanted.length; from += OBJECTS_PER_CALL) {
    const part = wanted.slice(from, from + OBJECTS_PER_CALL);
    const { stdout } = await git(['cat-file', '--batch', '--buffer'], {
      gitDir,
      input: part.join('\n') + '\n',
      maxBytes: part.length * (maxBytes + 200),
      signal,
    });
    for (let at = 0; at < stdout.length;) {
      const lineEnd = stdout.indexOf(10, at);
      const [oid = '', type = '', size = '0'] = stdout.subarray(at, lineEnd).toString('latin1').split(' ');
      at = lineEnd + 1;
      if (type === 'missing') continue;
      contents.set(oid, stdout.subarray(at, at + Number(size)));
      at += Number(size) + 1;
    }
  }
  return contents;
}

/** Whether a link at `path` with this target points out of the tree, read as text (nothing is followed). */
export function leavesTree(path: string, target: string): boolean {
  if (posix.isAbsolute(target)) return true;
  const reached = posix.normalize(posix.join(posix.dirname(path), target));
  return reached === '..' || reached.startsWith('../') || reached === '.git' || reached.startsWith('.git/');
}

function notice(code: RepositoryNotice['code'], message: string): RepositoryNotice {
  return { code, message: message.slice(0, 2000) };
}

/** What a user should know about a tree before agents work on it. */
export async function treeNotices(
  gitDir: string,
  entries: readonly TreeEntry[],
  signal?: AbortSignal,
): Promise<RepositoryNotice[]> {
  const submodules = entries.filter((entry) => entry.kind === 'submodule');
  const links = entries.filter((entry) => entry.kind === 'link' && (entry.size ?? 0) <= MAX_LINK_BYTES);
  const pointerSized = entries.filter(
    (entry) =>
      (entry.kind === 'file' || entry.kind === 'executable') &&
      (entry.size ?? 0) >= LFS_POINTER.min &&
      (entry.size ?? 0) <= LFS_POINTER.max,
  );
  const contents = await readObjects(
    gitDir,
    [...links, ...pointerSized].map((entry) => entry.oid),
    MAX_LINK_BYTES,
    signal,
  );
  const pointers = pointerSized.filter(
    (entry) => contents.get(entry.oid)?.subarray(0, LFS_POINTER.start.length).equals(LFS_POINTER.start) ?? false,
  );
  const outside = links.filter((entry) =>
    leavesTree(entry.bytes.toString('latin1'), contents.get(entry.oid)?.toString('latin1') ?? ''),
  );
  const oddNames = entries.filter((entry) => !entry.utf8);
  const large = entries.filter((entry) => (entry.size ?? 0) >= LARGE_FILE_BYTES);

  const found: RepositoryNotice[] = [];
  const say = (code: RepositoryNotice['code'], some: readonly TreeEntry[], text: string): void => {
    if (some.length > 0) found.push(notice(code, `${text}: ${showNames(some.map((entry) => entry.path))}`));
  };
  say('submodules', submodules, 'submodules are left alone');
  say('lfs_pointers', pointers, 'Git LFS pointers are left alone, the files behind them are not read');
  say('outside_links', outside, 'links that leave the repository are not followed');
  say(
    'non_utf8_names',
    oddNames,
    'file names that are not UTF-8 are kept as they are and shown with replaced characters',
  );
  say('large_files', large, `files of ${LARGE_FILE_BYTES / 1024 ** 2} MiB and more travel along`);
  return found;
}
