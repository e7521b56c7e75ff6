import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type ObjectFormat = 'sha1' | 'sha256';

export interface GitDirLayout {
  readonly objectFormat: ObjectFormat;
  /** Content of `HEAD`: a commit id, or `ref: refs/heads/x`. */
  readonly head: string;
  /** Boundary commits: git treats them as having no parents. */
  readonly shallow?: readonly string[];
  /** Object folders of others to read from. */
  readonly objectDirs?: readonly string[];
  /** Refs of another repository, reached through a link: reads and locks are then the real ones. */
  readonly refsOf?: { readonly commonDir: string; readonly reftable: boolean };
  /** Further lines of `config`, as `section.key` to value; sections without subsections. */
  readonly config?: Readonly<Record<string, string>>;
  /** Switches every attribute that changes bytes off, whatever `.gitattributes` files say. */
  readonly plainBytes?: boolean;
}

/**
 * `-text` keeps line ends, `-filter` and `-ident` keep content, `!working-tree-encoding` keeps encodings (git refuses a false one),
 * `!diff` and `!merge` name no driver. `info/attributes` beats every `.gitattributes` of the tree.
 */
const PLAIN_BYTES =
  '* -text !eol -ident -filter !working-tree-encoding !diff !merge !whitespace !conflict-marker-size\n';

function configText(layout: GitDirLayout): string {
  const lines = new Map<string, string[]>();
  const set = (key: string, value: string): void => {
    const dot = key.indexOf('.');
    const section = key.slice(0, dot);
    lines.set(section, [...(lines.get(section) ?? []), `\t${key.slice(dot + 1)} = ${value}`]);
  };
  const reftable = layout.refsOf?.reftable ?? false;
  set('core.repositoryformatversion', layout.objectFormat === 'sha256' || reftable ? '1' : '0');
  set('core.bare', 'true');
  for (const [key, value] of Object.entries(layout.config ?? {})) set(key, value);
  if (layout.objectFormat === 'sha256') set('extensions.objectformat', 'sha256');
  if (reftable) set('extensions.refstorage', 'reftable');
  return [...lines].map(([section, body]) => `[${section}]\n${body.join('\n')}\n`).join('');
}

/**
 * Writes a git directory by hand into `dir` (made if missing): faster than `git init`, no template, and nothing in it that
 * we did not write. Other repositories are reached through links with names of ours, so that odd characters in their paths
 * never meet a file format of git.
 */
export async function writeGitDir(dir: string, layout: GitDirLayout): Promise<void> {
  await mkdir(join(dir, 'objects', 'pack'), { recursive: true });
  await mkdir(join(dir, 'objects', 'info'));
  await mkdir(join(dir, 'info'));
  const writes = [writeFile(join(dir, 'HEAD'), `${layout.head}\n`), writeFile(join(dir, 'config'), configText(layout))];
  if (layout.refsOf === undefined) writes.push(mkdir(join(dir, 'refs')));
  else {
    const { commonDir, reftable } = layout.refsOf;
    writes.push(
      symlink(join(commonDir, 'refs'), join(dir, 'refs')),
      symlink(join(commonDir, 'packed-refs'), join(dir, 'packed-refs')),
    );
    if (reftable) writes.push(symlink(join(commonDir, 'reftable'), join(dir, 'reftable')));
  }
  if (layout.plainBytes ?? false) writes.push(writeFile(join(dir, 'info', 'attributes'), PLAIN_BYTES));
  writes.push(writeShallow(dir, layout.shallow ?? []));
  const objectDirs = layout.objectDirs ?? [];
  objectDirs.forEach((target, i) => writes.push(symlink(target, join(dir, `objects-${i}`))));
  if (objectDirs.length > 0) {
    writes.push(
      writeFile(
        join(dir, 'objects', 'info', 'alternates'),
        objectDirs.map((_, i) => join(dir, `objects-${i}`) + '\n').join(''),
      ),
    );
  }
  await Promise.all(writes);
}

/** Replaces the boundary commits. */
export async function writeShallow(dir: string, commits: readonly string[]): Promise<void> {
  // An empty file is the same to git as none.
  await writeFile(join(dir, 'shallow'), commits.map((id) => `${id}\n`).join(''));
}
