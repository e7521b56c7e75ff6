import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '@devmesh/contracts/finding';
import { decode } from '../findings/read-text.js';
import { TreeSources } from '../findings/tree-sources.js';
import { walk, type TreeFile } from '../findings/walk.js';
import { RULES } from '../rules/catalogue.js';
import type { RuleDefinition } from '../rules/rule.js';
import { applyEdits } from './apply-edits.js';
import { editsOf, planRound } from './plan-round.js';
import { Prover } from './proof.js';
import { isTypeScript, typeCheck, worse, type Diagnostics } from './type-check.js';

/** What became of the fixes of one round; every finding with a fix is in exactly one list. */
export interface FixRound {
  readonly fixed: readonly Finding[];
  /** They touch what one that was applied changes; the next round's review finds them again. */
  readonly deferred: readonly Finding[];
  /** They don't fit the file as it is, or are not proved. */
  readonly dropped: readonly Dropped[];
  /** Files that were written, sorted. */
  readonly files: readonly string[];
}

export interface Dropped {
  readonly finding: Finding;
  readonly reason: string;
}

type FixableFinding = Finding & { fix: NonNullable<Finding['fix']> };

export interface ApplyOptions {
  readonly signal?: AbortSignal;
  readonly progress?: (message: string) => void;
  /** The rules that proofs are made with; by default the shipped ones. */
  readonly rules?: readonly RuleDefinition[];
}

/** A file with its fixes, before anything is written. */
interface FixedFile {
  readonly path: string;
  readonly file: string;
  readonly before: Buffer;
  readonly after: Buffer;
  readonly fixed: readonly FixableFinding[];
}

/**
 * Applies the safe fixes of `findings` to the files below `root`, byte for byte, at most one round. Findings may come from
 * anywhere: a path that leaves the tree or goes through a link, or a place that no longer reads as the finding says, is
 * dropped. Each fix is proved: the file still parses, the finding is gone, there is no new one, and TypeScript has no type error
 * that it did not have; one that is not proved is dropped, with the reason, and its file has the others'.
 */
export async function applyFixes(
  root: string,
  findings: readonly Finding[],
  options: ApplyOptions = {},
): Promise<FixRound> {
  const byFile = new Map<string, FixableFinding[]>();
  for (const finding of findings) {
    if (!finding.fix) continue;
    const list = byFile.get(finding.location.path) ?? [];
    list.push({ ...finding, fix: finding.fix });
    byFile.set(finding.location.path, list);
  }
  if (byFile.size === 0) return { fixed: [], deferred: [], dropped: [], files: [] };
  const deferred: Finding[] = [];
  const dropped: Dropped[] = [];
  const made: FixedFile[] = [];
  const prover = new Prover(options.rules ?? RULES, await sourcesOf(root));
  for (const [path, here] of [...byFile].sort(([a], [b]) => (a < b ? -1 : 1))) {
    options.signal?.throwIfAborted();
    options.progress?.(`fixing ${path}`);
    const result = await fixFile(root, path, here, prover);
    dropped.push(...result.dropped);
    deferred.push(...result.deferred);
    if (result.made) made.push(result.made);
  }
  const kept = await writeProved(root, made, dropped, options);
  return {
    fixed: kept.flatMap(({ fixed }) => fixed),
    deferred,
    dropped,
    files: kept.map(({ path }) => path),
  };
}

async function sourcesOf(root: string): Promise<TreeSources> {
  const files: TreeFile[] = [];
  for await (const entry of walk(root)) if (!('skipped' in entry)) files.push(entry.file);
  return new TreeSources(files);
}

async function fixFile(
  root: string,
  path: string,
  findings: readonly FixableFinding[],
  prover: Prover,
): Promise<{ made: FixedFile | undefined; deferred: Finding[]; dropped: Dropped[] }> {
  const drop = (list: readonly Finding[], reason: string): Dropped[] => list.map((finding) => ({ finding, reason }));
  const file = await plainFile(root, path);
  if (!file) return { made: undefined, deferred: [], dropped: drop(findings, 'it is not a plain file of the tree') };
  const before = await contentOf(file);
  const { text, utf8 } = decode(before);
  const lines = text.split('\n');
  const fresh = findings.filter((finding) => utf8 && stillReads(finding, lines));
  const stale = findings.filter((finding) => !fresh.includes(finding));
  const dropped = drop(stale, 'the file no longer reads as the finding says');
  const { now, later } = planRound(fresh.map((finding) => ({ finding, edits: finding.fix.edits })));
  const attempt = async (chosen: typeof now): Promise<{ after: Buffer } | { reason: string }> => {
    try {
      const after = applyEdits(before, editsOf(chosen));
      const fixed = chosen.map(({ finding }) => finding);
      const reason = await prover.objection(path, text, decode(after).text, fixed);
      return reason === undefined ? { after } : { reason };
    } catch (error) {
      return { reason: error instanceof Error ? error.message : String(error) };
    }
  };
  let chosen = now;
  let last = now.length > 0 ? await attempt(now) : { after: before };
  if ('reason' in last) {
    // One of them is to blame: each is tried on top of those that hold.
    chosen = [];
    last = { after: before };
    for (const one of now) {
      const tried = await attempt([...chosen, one]);
      if ('reason' in tried) dropped.push({ finding: one.finding, reason: tried.reason });
      else {
        chosen.push(one);
        last = tried;
      }
    }
  }
  const fixed = chosen.map(({ finding }) => finding);
  return {
    made: fixed.length > 0 && 'after' in last ? { path, file, before, after: last.after, fixed } : undefined,
    deferred: later.map(({ finding }) => finding),
    dropped,
  };
}

/** Writes the files; those whose types would be worse are put back, and their fixes dropped. Gives those that stay. */
async function writeProved(
  root: string,
  made: readonly FixedFile[],
  dropped: Dropped[],
  options: ApplyOptions,
): Promise<FixedFile[]> {
  const typed = made.filter(({ path }) => isTypeScript(path));
  if (typed.length > 0) options.progress?.(`checking the types of ${typed.length} files`);
  const check = async (some: readonly FixedFile[]): Promise<Diagnostics> => {
    const paths = some.map(({ path }) => path);
    return typeCheck(root, paths, options.signal);
  };
  for (const { file, after } of made) await write(file, after);
  const bad = new Map<FixedFile, string>();
  try {
    const after = await check(typed);
    // Errors that were there before are nobody's fault; most files have none, and need no second look.
    const suspects = typed.filter(({ path }) => after.has(path));
    for (const { file, before } of suspects) await write(file, before);
    const before = await check(suspects);
    for (const one of suspects) {
      const code = worse(one.path, before, after);
      if (code === undefined) await write(one.file, one.after);
      else bad.set(one, `the types would be worse (${code})`);
    }
  } catch (error) {
    const isOver = options.signal?.aborted === true;
    for (const { file, before } of isOver ? made : typed) await write(file, before);
    if (isOver) throw error;
    // Without an answer nothing of theirs is proved; the other files are.
    const why = error instanceof Error ? error.message : String(error);
    for (const one of typed) bad.set(one, `the types could not be checked: ${why}`);
  }
  for (const [{ fixed }, reason] of bad) dropped.push(...fixed.map((finding) => ({ finding, reason })));
  return made.filter((one) => !bad.has(one));
}

async function contentOf(file: string): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

async function write(file: string, content: Buffer): Promise<void> {
  const handle = await open(file, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    await handle.truncate(0);
    await handle.write(content, 0, content.length, 0);
  } finally {
    await handle.close();
  }
}

/** The absolute path, when every step of the way is a real folder and the end a regular file. */
async function plainFile(root: string, path: string): Promise<string | undefined> {
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part === '.git' || part.includes('\0'))) {
    return undefined;
  }
  let at = root;
  for (const [i, part] of parts.entries()) {
    at = join(at, part);
    // Of a link itself, lstat says neither folder nor file.
    const found = await lstat(at).catch(() => undefined);
    if (!found || (i < parts.length - 1 ? !found.isDirectory() : !found.isFile())) return undefined;
  }
  return at;
}

/** Whether the line of a finding still holds what its snippet shows; of a masked line, what stands before the mask. */
function stillReads({ location, snippet }: Finding, lines: readonly string[]): boolean {
  const shown = (snippet.split('\n')[0] ?? '').trim().split('*****')[0] ?? '';
  return (lines[location.startLine - 1] ?? '').includes(shown);
}
