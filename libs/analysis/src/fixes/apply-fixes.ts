import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '@devmesh/contracts/finding';
import { decode } from '../findings/read-text.js';
import { applyEdits } from './apply-edits.js';
import { planRound } from './plan-round.js';
import { objectionTo } from './proof.js';

/** What became of the fixes of one round; every finding with a fix is in exactly one list. */
export interface FixRound {
  readonly fixed: readonly Finding[];
  /** They overlap one that was applied; the next round's review finds them again. */
  readonly deferred: readonly Finding[];
  /** They don't fit the file as it is, or nothing proves them: it would no longer parse, the finding would stay, or another come up. */
  readonly dropped: readonly { readonly finding: Finding; readonly reason: string }[];
  /** Files that were written, sorted. */
  readonly files: readonly string[];
}

type FixableFinding = Finding & { fix: NonNullable<Finding['fix']> };

export interface ApplyOptions {
  readonly signal?: AbortSignal;
  readonly progress?: (message: string) => void;
}

/**
 * Applies the safe fixes of `findings` to the files below `root`, byte for byte, at most one round. Findings may come from
 * anywhere: a path that leaves the tree or goes through a link, or a place that no longer reads as the finding says, is
 * dropped. Each fix is proved before it is written (`proof.ts`).
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
  const fixed: Finding[] = [];
  const deferred: Finding[] = [];
  const dropped: { finding: Finding; reason: string }[] = [];
  const files: string[] = [];
  for (const [path, here] of [...byFile].sort(([a], [b]) => (a < b ? -1 : 1))) {
    options.signal?.throwIfAborted();
    options.progress?.(`fixing ${path}`);
    const result = await fixFile(root, path, here);
    dropped.push(...result.dropped);
    deferred.push(...result.deferred);
    if (result.fixed.length === 0) continue;
    fixed.push(...result.fixed);
    files.push(path);
  }
  return { fixed, deferred, dropped, files };
}

async function fixFile(
  root: string,
  path: string,
  findings: readonly FixableFinding[],
): Promise<{ fixed: Finding[]; deferred: Finding[]; dropped: { finding: Finding; reason: string }[] }> {
  const drop = (list: readonly Finding[], reason: string) => list.map((finding) => ({ finding, reason }));
  const file = await plainFile(root, path);
  if (!file) return { fixed: [], deferred: [], dropped: drop(findings, 'it is not a plain file of the tree') };
  const handle = await open(file, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const before = await handle.readFile();
    const { text, utf8 } = decode(before);
    const lines = text.split('\n');
    const fresh = findings.filter((finding) => utf8 && stillReads(finding, lines));
    const stale = findings.filter((finding) => !fresh.includes(finding));
    const { now, later } = planRound(fresh.map((finding) => ({ finding, edits: finding.fix.edits })));
    const dropped = drop(stale, 'the file no longer reads as the finding says');
    const deferred = later.map(({ finding }) => finding);
    const proved = await provable(path, before, text, now);
    dropped.push(...proved.dropped);
    if (!proved.after) return { fixed: [], deferred, dropped };
    await handle.truncate(0);
    await handle.write(proved.after, 0, proved.after.length, 0);
    return { fixed: proved.fixed, deferred, dropped };
  } finally {
    await handle.close();
  }
}

interface PlannedFix {
  readonly finding: FixableFinding;
  readonly edits: FixableFinding['fix']['edits'];
}

/** As many of the fixes as can be proved: all at once where nothing speaks against it, else one after the other. */
async function provable(
  path: string,
  before: Buffer,
  text: string,
  fixes: readonly PlannedFix[],
): Promise<{ fixed: Finding[]; dropped: { finding: Finding; reason: string }[]; after: Buffer | undefined }> {
  const attempt = async (some: readonly PlannedFix[]): Promise<Buffer | string> => {
    try {
      const after = applyEdits(
        before,
        some.flatMap(({ edits }) => edits),
      );
      const findings = some.map(({ finding }) => finding);
      return (await objectionTo(path, text, decode(after).text, findings)) ?? after;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  if (fixes.length === 0) return { fixed: [], dropped: [], after: undefined };
  const all = await attempt(fixes);
  if (typeof all !== 'string') return { fixed: fixes.map(({ finding }) => finding), dropped: [], after: all };
  const kept: PlannedFix[] = [];
  const dropped: { finding: Finding; reason: string }[] = [];
  let after: Buffer | undefined;
  for (const fix of fixes) {
    const result = fixes.length === 1 ? all : await attempt([...kept, fix]);
    if (typeof result === 'string') dropped.push({ finding: fix.finding, reason: result });
    else {
      kept.push(fix);
      after = result;
    }
  }
  return { fixed: kept.map(({ finding }) => finding), dropped, after };
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
