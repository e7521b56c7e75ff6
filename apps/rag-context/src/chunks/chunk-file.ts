import { languageOf } from '@devmesh/analysis/parse/language';
import { fillGaps, type Chunk } from './chunk.js';
import { codeSymbols } from './code-chunks.js';
import { markdownSections } from './markdown-chunks.js';

/** Pieces of a file at the borders of its symbols or headings; windows where it has none. `lines` are those of `text`. */
export function chunkFile(path: string, text: string, lines: readonly string[]): Chunk[] {
  const isBlank = (line: number): boolean => (lines[line - 1] ?? '').trim() === '';
  return fillGaps(piecesOf(path, text, lines), lines.length, isBlank);
}

function piecesOf(path: string, text: string, lines: readonly string[]): Chunk[] {
  if (/\.(md|markdown|mdx)$/i.test(path)) return markdownSections(lines);
  const language = languageOf(path);
  return language === undefined || language === 'dockerfile' ? [] : codeSymbols(language, text);
}
