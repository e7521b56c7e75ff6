import { RULES } from '../rules/catalogue.js';
import { FileReviewer, type FileOutcome } from './file-review.js';
import { TreeSources } from './tree-sources.js';
import type { TreeFile } from './walk.js';

/** What a pool says to its processes. */
export type ToProcess =
  | { readonly type: 'tree'; readonly files: readonly TreeFile[]; readonly fileBudgetMs: number | undefined }
  | { readonly type: 'review'; readonly path: string };

/** `ready` once it can take work; then one answer for each file, in the order in which they were asked for. */
export type FromProcess =
  { readonly type: 'ready' } | { readonly type: 'done'; readonly path: string; readonly outcome: FileOutcome };

/** Answers the pool that started this process until it hangs up. `before` is told of each file before its review. */
export function serveReviews(before: (path: string) => void = () => undefined): void {
  let files = new Map<string, TreeFile>();
  let reviewer: FileReviewer | undefined;
  let last: Promise<void> = Promise.resolve();
  const say = (message: FromProcess): void => {
    if (process.connected) process.send?.(message);
  };
  const review = async (path: string): Promise<void> => {
    before(path);
    const file = files.get(path);
    const outcome = file && reviewer ? await reviewer.reviewFile(file) : ({ skipped: 'unreadable' } as const);
    say({ type: 'done', path, outcome });
  };
  process.on('message', (message: ToProcess) => {
    if (message.type === 'tree') {
      files = new Map(message.files.map((file) => [file.path, { ...file, bytes: Buffer.from(file.bytes) }]));
      const options = message.fileBudgetMs === undefined ? {} : { fileBudgetMs: message.fileBudgetMs };
      reviewer = new FileReviewer(RULES, new TreeSources([...files.values()]), options);
    } else last = last.then(() => review(message.path));
  });
  process.on('disconnect', () => process.exit(0));
  say({ type: 'ready' });
}
