import { join } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { CommitId } from '@devmesh/contracts/ids';
import { git, splitNul, type GitCall } from './git.js';
import { decodePath } from './names.js';
import { readObjects } from './tree.js';
import { withUserView } from './user-view.js';

/** Lines that differ, as in a unified diff without context; blanks don't count. With 0 lines, `start` is the line before. */
export interface ChangedLines {
  readonly baseStart: number;
  readonly baseLines: number;
  readonly start: number;
  readonly lines: number;
}

/** A file that differs. `path` is null for one that is gone, `basePath` for one that is added; both differ for a renamed one. */
export interface FileChange {
  readonly path: string | null;
  readonly basePath: string | null;
  readonly hunks: readonly ChangedLines[];
}

/** What lies between two trees, and the files of the first as they were. */
export interface TreeChange {
  readonly base: CommitId;
  readonly files: readonly FileChange[];
  /** Contents by `basePath`; files over the limit are left out. */
  readonly baseContents: ReadonlyMap<string, Buffer>;
}

interface Side {
  readonly gitDir: string;
  readonly workTree?: string;
  readonly indexFile?: string;
}

const MAX_LISTING_BYTES = 64 * 1024 ** 2;
const MAX_DIFF_BYTES = 256 * 1024 ** 2;

/** What git is told of every comparison: nothing that the tree says of itself (drivers, binary marks) hides a change. */
const PLAIN = ['--no-ext-diff', '--no-textconv', '--text', '--ignore-submodules=all', '--no-color', '-M', '-l5000'];

/**
 * The difference between two commits of a git directory of ours. `maxBytes`: of one file of the base. Throws `invalid_repository`
 * when the base is not in it.
 */
export async function changesBetween(
  gitDir: string,
  base: CommitId,
  head: CommitId,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<TreeChange> {
  const { code } = await git(['cat-file', '-e', `${base}^{commit}`], { gitDir, okCodes: [0, 1, 128], signal });
  if (code !== 0)
    throw new DevmeshError(
      'invalid_repository',
      `commit ${base} is not among what was handed over: compare with the commit that the run began with`,
    );
  return compare({ gitDir }, base, [head], [], maxBytes, signal);
}

/**
 * The difference between where the branch of a user's working tree left `ref` (their last common commit; `ref` itself when there is
 * none) and that working tree as it is now, with what is not committed or not tracked yet. Nothing of it is written or run.
 */
export async function changesOfWorkTree(
  path: string,
  ref: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<TreeChange & { readonly root: string }> {
  return withUserView(path, async (view) => {
    const { gitDir } = view;
    const { root } = view.location;
    const wanted = await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`], {
      gitDir,
      okCodes: [0, 1, 128],
      signal,
    });
    const commit = idIn(wanted.stdout);
    if (ref.startsWith('-') || commit === undefined)
      throw new DevmeshError(
        'invalid_repository',
        `there is no branch, tag or commit "${ref}": see "git branch --all"`,
      );
    const common = await git(['merge-base', commit, 'HEAD'], { gitDir, okCodes: [0, 1, 128], signal });
    const base = idIn(common.stdout) ?? commit;
    const side: Side = { gitDir, workTree: root, indexFile: join(view.location.gitDir, 'index') };
    const untracked = await git(['ls-files', '--others', '--exclude-standard', '-z'], {
      ...side,
      maxBytes: MAX_LISTING_BYTES,
      signal,
    });
    const added = splitNul(untracked.stdout)
      .map((name) => decodePath(name).path)
      .filter((name) => !name.endsWith('/'));
    return { ...(await compare(side, base, [], added, maxBytes, signal)), root };
  });
}

function idIn(stdout: Buffer): CommitId | undefined {
  const id = stdout.toString().trim().split('\n').at(-1) ?? '';
  return /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(id) ? id : undefined;
}

async function compare(
  side: Side,
  base: CommitId,
  head: readonly CommitId[],
  added: readonly string[],
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<TreeChange> {
  const call = { ...side, signal, timeoutMs: 600_000 };
  const listed = await git(['diff', '--raw', '-z', '--no-abbrev', ...PLAIN, base, ...head, '--'], {
    ...call,
    maxBytes: MAX_LISTING_BYTES,
  });
  const entries = rawEntries(listed.stdout);
  const changed = await git(['diff', '-p', '-U0', '-w', ...PLAIN, base, ...head, '--'], {
    ...call,
    maxBytes: MAX_DIFF_BYTES,
  });
  const hunks = hunksByPath(changed.stdout);
  const wanted = entries.flatMap(({ baseOid, basePath }) => (basePath === null ? [] : [baseOid]));
  const byOid = await readObjects(side.gitDir, await notOver(maxBytes, wanted, call), maxBytes, signal);
  const baseContents = new Map<string, Buffer>();
  for (const { basePath, baseOid } of entries) {
    const content = byOid.get(baseOid);
    if (basePath !== null && content !== undefined) baseContents.set(basePath, content);
  }
  const files = entries.map(({ path, basePath }) => ({ path, basePath, hunks: (path && hunks.get(path)) || [] }));
  const isNew = added.map((path) => ({ path, basePath: null, hunks: [] }));
  return { base, files: [...files, ...isNew], baseContents };
}

/** Of these objects those that have at most so many bytes. */
async function notOver(maxBytes: number, oids: readonly string[], call: GitCall): Promise<string[]> {
  if (oids.length === 0) return [];
  const { stdout } = await git(['cat-file', '--batch-check=%(objectname) %(objectsize)', '--buffer'], {
    ...call,
    input: `${oids.join('\n')}\n`,
  });
  const lines = stdout.toString().trim().split('\n');
  return lines.flatMap((line) => {
    const [oid = '', size = ''] = line.split(' ');
    return Number(size) <= maxBytes ? [oid] : [];
  });
}

interface RawEntry {
  readonly path: string | null;
  readonly basePath: string | null;
  readonly baseOid: string;
}

/** `:modes oids status NUL path NUL [path NUL]`; a link or submodule on either side is none of ours. */
function rawEntries(bytes: Buffer): RawEntry[] {
  const parts = splitNul(bytes);
  const entries: RawEntry[] = [];
  for (let i = 0; i < parts.length;) {
    const [baseMode = '', mode = '', baseOid = '', , status = ''] = (parts[i] ?? '').toString().slice(1).split(' ');
    const first = decodePath(parts[i + 1] ?? Buffer.alloc(0)).path;
    const isMove = /^[RC]/.test(status);
    const second = isMove ? decodePath(parts[i + 2] ?? Buffer.alloc(0)).path : first;
    i += isMove ? 3 : 2;
    const isFile = (bits: string): boolean => bits.startsWith('100');
    const basePath = isFile(baseMode) && status !== 'A' ? first : null;
    const path = isFile(mode) && status !== 'D' ? second : null;
    if (path !== null || basePath !== null) entries.push({ path, basePath, baseOid });
  }
  return entries;
}

/** The hunks of a patch by the path that a file has now. */
function hunksByPath(patch: Buffer): Map<string, ChangedLines[]> {
  const found = new Map<string, ChangedLines[]>();
  let current: ChangedLines[] = [];
  let skip = 0;
  for (let at = 0; at < patch.length;) {
    const newline = patch.indexOf(10, at);
    const end = newline === -1 ? patch.length : newline;
    if (skip > 0 && patch[at] !== 0x5c) skip -= 1;
    else if (patch[at] !== 0x5c) {
      const line = patch.subarray(at, Math.min(end, at + 20_000)).toString('latin1');
      const hunk = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
      if (hunk) {
        const [baseStart, baseLines, start, lines] = hunk.slice(1).map((digits) => Number(digits ?? 1));
        current.push({ baseStart: baseStart ?? 1, baseLines: baseLines ?? 1, start: start ?? 1, lines: lines ?? 1 });
        skip = (baseLines ?? 1) + (lines ?? 1);
      } else if (line.startsWith('+++ ')) {
        current = [];
        const path = nameIn(line.slice(4));
        if (path !== undefined) found.set(path, current);
      }
    }
    at = end + 1;
  }
  return found;
}

const ESCAPES: Readonly<Record<string, string>> = { a: '\x07', b: '\b', t: '\t', n: '\n', v: '\v', f: '\f', r: '\r' };

/** The name in `b/name`, also in git's quotes; undefined for `/dev/null`. */
function nameIn(text: string): string | undefined {
  let name = text.replace(/\t$/, '');
  if (name.startsWith('"'))
    name = name
      .slice(1, -1)
      .replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
        /^[0-7]{3}$/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : (ESCAPES[code] ?? code),
      );
  return name.startsWith('b/') ? decodePath(Buffer.from(name.slice(2), 'latin1')).path : undefined;
}
