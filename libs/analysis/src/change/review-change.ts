import type { Finding } from '@devmesh/contracts/finding';
import { decode, MAX_FILE_BYTES, readText } from '../findings/read-text.js';
import { byPlace, reviewTexts, type ReviewedText, type ReviewOptions } from '../findings/review-tree.js';
import { TreeSources } from '../findings/tree-sources.js';
import { walk, type TreeFile } from '../findings/walk.js';
import type { SourceFiles } from '../flow/module-store.js';
import { languageOf } from '../parse/language.js';
import { dependentsOf } from './dependents.js';
import { compareFindings, type Comparison } from './introduced.js';
import type { FileChange } from './line-map.js';

/** Most files beside the changed ones that are walked for data that reaches the change. */
const MAX_DEPENDENTS = 60;

/** What lies between two trees, and the changed files as they were before. */
export interface TreeChange {
  readonly files: readonly FileChange[];
  /** By their path in the base. */
  readonly baseContents: ReadonlyMap<string, Uint8Array>;
}

export interface ChangeReview extends Comparison {
  /** Changed files that were reviewed. */
  readonly filesReviewed: number;
  /** Changed files that are not reviewed: generated, vendored, too large, … */
  readonly filesSkipped: number;
  /** Files beside them that were walked, because they use what has changed. */
  readonly filesWalked: number;
}

/**
 * Reviews what a change affects in the tree below `root`: the changed files, and those whose data reaches them; the same in the base;
 * and compares. All other files are read when a call leads there. Promises what `reviewTree` promises.
 */
export async function reviewChange(
  root: string,
  change: TreeChange,
  options: ReviewOptions = {},
): Promise<ChangeReview> {
  const files = new Map<string, TreeFile>();
  for await (const entry of walk(root)) {
    options.signal?.throwIfAborted();
    if ('file' in entry) files.set(entry.file.path, entry.file);
  }
  const sources = new TreeSources([...files.values()]);
  const changed: ReviewedText[] = [];
  let filesSkipped = 0;
  for (const { path } of change.files) {
    if (path === null) continue;
    const file = files.get(path);
    const read = file ? await readText(file, languageOf(path)) : 'vendored';
    if (typeof read === 'string') filesSkipped += 1;
    else changed.push({ path, text: read.text, exact: read.utf8 && file?.exact === true });
  }
  const code = changed.filter(({ path }) => languageOf(path) !== undefined).map(({ path }) => path);
  const near = dependentsOf(code, files.keys(), (path) => sources.read(path), MAX_DEPENDENTS);
  const walked = near.flatMap((path): ReviewedText[] => {
    const text = sources.read(path);
    return text === undefined ? [] : [{ path, text, flowOnly: true }];
  });
  options.progress?.(`${changed.length} changed files, ${walked.length} that use them`);
  const before = baseOf(change, sources);
  const base = change.files.flatMap(({ basePath }): ReviewedText[] => {
    const text = basePath === null ? undefined : before.texts.get(basePath);
    return basePath === null || text === undefined ? [] : [{ path: basePath, text }];
  });
  const after = await reviewTexts([...changed, ...walked], { ...options, sources });
  // The base of files that only use the change matters where data came from there.
  const isChanged = new Set(changed.map(({ path }) => path));
  const reached = after.some(({ location, trace = [] }) =>
    [location, ...trace].some(({ path }) => !isChanged.has(path)),
  );
  const ago = await reviewTexts(reached ? [...base, ...walked] : base, { ...options, sources: before.sources });
  const compared = compareFindings(
    { findings: after, read: (path) => sources.read(path) },
    { findings: ago, read: (path) => before.sources.read(path) },
    change.files,
  );
  const sorted = (findings: readonly Finding[]): Finding[] => [...findings].sort(byPlace);
  return {
    introduced: sorted(compared.introduced),
    existing: sorted(compared.existing),
    fixed: sorted(compared.fixed),
    filesReviewed: changed.length,
    filesSkipped,
    filesWalked: walked.length,
  };
}

const folderOf = (path: string): string => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.');

/** The tree as it was: the changed files of then, and all others as they are. */
function baseOf(
  change: TreeChange,
  head: SourceFiles,
): { readonly texts: ReadonlyMap<string, string>; readonly sources: SourceFiles } {
  const texts = new Map<string, string>();
  for (const [path, content] of change.baseContents)
    if (content.length <= MAX_FILE_BYTES && !content.subarray(0, 8000).includes(0))
      texts.set(path, decode(content).text);
  const replaced = new Set(change.files.flatMap(({ path }) => (path === null ? [] : [path])));
  const sources: SourceFiles = {
    has: (path) => texts.has(path) || (!replaced.has(path) && head.has(path)),
    read: (path) => texts.get(path) ?? (replaced.has(path) ? undefined : head.read(path)),
    list: (folder) => [
      ...[...texts.keys()].filter((path) => folderOf(path) === folder),
      ...(head.list?.(folder) ?? []).filter((path) => !replaced.has(path) && !texts.has(path)),
    ],
  };
  return { texts, sources };
}
