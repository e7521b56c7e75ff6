import type { FileEdit } from '@devmesh/contracts/file-edit';

/** A replacement of `[start, end)` of a text, in UTF-16 code units, with what it does and why. */
export interface ReasonedEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly change: string;
  readonly reason: string;
}

/** A file with its edits made; every byte outside of them is as it was. */
export interface EditedFile {
  readonly path: string;
  readonly content: string;
  readonly edits: readonly FileEdit[];
}

/** `\r\n` where the file's first line ends so. */
export function lineEnding(text: string): string {
  return text[text.indexOf('\n') - 1] === '\r' ? '\r\n' : '\n';
}

/** Offset of the first character of the line that `offset` is on. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** Offset behind the end of the line that `offset` is on: of the next line, or of the end of the text. */
export function nextLine(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  return newline < 0 ? text.length : newline + 1;
}

/** Makes the edits; undefined when there is none. Those at one place are made in the order given. Throws when two overlap. */
export function makeEdits(path: string, text: string, edits: readonly ReasonedEdit[]): EditedFile | undefined {
  if (edits.length === 0) return undefined;
  const sorted = [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
  const eol = lineEnding(text);
  let content = '';
  let at = 0;
  for (const { start, end, text: written } of sorted) {
    if (start < at) throw new Error(`edits of ${path} overlap at ${start}`);
    content += text.slice(at, start);
    // A line put behind a last line that has no ending.
    if (start === text.length && content !== '' && !content.endsWith('\n')) content += eol;
    content += written.replaceAll('\n', eol);
    at = end;
  }
  content += text.slice(at);
  return {
    path,
    content,
    edits: sorted.map(({ start, change, reason }) => ({
      path,
      line: text.slice(0, start).split('\n').length,
      change: change.slice(0, 200),
      reason: reason.slice(0, 300),
    })),
  };
}
