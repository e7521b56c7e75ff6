import type { SourceTree } from '../tree/source-tree.js';
import { programmingLanguage } from '../stack/languages.js';

/** The first place outside of documents where a word stands. */
export interface Mention {
  readonly path: string;
  readonly line: number;
}

export interface Mentions {
  /** False when the tree has more text than is looked at: then nothing is known to be absent. */
  readonly complete: boolean;
  of(word: string): Mention | undefined;
}

const MAX_FILE_BYTES = 2 * 1024 ** 2;
const MAX_ALL_BYTES = 256 * 1024 ** 2;
/** Words, with hyphens inside, and whole numbers; a hyphenated word counts in its parts too. */
const WORD = /[A-Za-z_]\w*(?:-\w+)*|(?<![\w.])\d{2,5}(?![\w.]*\w)/g;
const NO_CODE =
  /(^|\/)(package-lock\.json|yarn\.lock|pnpm-lock\.yaml|poetry\.lock|uv\.lock|go\.sum|cargo\.lock)$|\.(md|mdx|markdown|rst|svg|map|csv|ipynb)$/i;

/**
 * Looks for words of documents in everything else that is text. Words are those of code: `dry-run`, `dryRun`, `PORT`, `8080`; flags
 * are asked for with their hyphens, declarations as `class Name`. Throws `execution_cancelled` on abort.
 */
export async function findMentions(
  tree: SourceTree,
  wanted: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<Mentions> {
  const found = new Map<string, Mention>();
  let complete = !tree.truncated;
  let size = 0;
  for (const file of tree.files) {
    if (wanted.size === found.size) break;
    if (!file.utf8 || NO_CODE.test(file.path)) continue;
    if (file.size > MAX_FILE_BYTES || size > MAX_ALL_BYTES) {
      // What is no program and no small configuration names nothing that people set.
      if (size > MAX_ALL_BYTES || programmingLanguage(file.path) !== undefined) complete = false;
      continue;
    }
    await tree.breathe(signal);
    const text = tree.text(file, MAX_FILE_BYTES);
    if (text === undefined) continue;
    size += text.length;
    const note = (word: string, at: number): void => {
      if (wanted.has(word) && !found.has(word)) found.set(word, { path: file.path, line: lineNumber(text, at) });
    };
    for (const match of text.matchAll(WORD)) {
      const [word] = match;
      const at = match.index;
      if (text[at - 1] === '-' && text[at - 2] === '-') note(`--${word}`, at);
      note(word, at);
      if (text[at - 1] === ' ' && text.startsWith('class', at - 6)) note(`class ${word}`, at);
      if (word.includes('-')) for (const part of word.split('-')) note(part, at);
    }
  }
  return { complete, of: (word) => found.get(word) };
}

function lineNumber(text: string, at: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < at; i = text.indexOf('\n', i + 1)) line += 1;
  return line;
}
