import type { Node } from '../parse/syntax.js';
import type { Candidate } from './candidate.js';

/** A replacement of `[start, end)`, in UTF-16 code units of the file. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The fewest edits that mend a node, or undefined where this occurrence has no safe fix. */
export type CodeFix = (of: Candidate) => TextEdit[] | undefined;

export function replace(node: Node, text: string): TextEdit {
  const { start, end } = node.range();
  return { start: start.index, end: end.index, text };
}

export function insertion(at: number, text: string): TextEdit {
  return { start: at, end: at, text };
}

export const startOf = (node: Node): number => node.range().start.index;
export const endOf = (node: Node): number => node.range().end.index;

/** Takes an argument out of its list with the comma and the blanks before it, or, of the first one, those after it. */
export function removal(argument: Node): TextEdit {
  const { start, end } = argument.range();
  const before = argument.prev();
  if (before?.text() === ',') return { start: startOf(before), end: end.index, text: '' };
  const after = argument.next();
  const following = after?.text() === ',' ? after.next() : undefined;
  return { start: start.index, end: following ? startOf(following) : end.index, text: '' };
}

/** Puts an argument behind the last one of a list; undefined where a comment stands there. */
export function appended(list: Node, argument: string): TextEdit | undefined {
  const last = list.namedChildren().at(-1);
  if (!last) return list.text().startsWith('(') ? insertion(startOf(list) + 1, argument) : undefined;
  return last.is('comment') ? undefined : insertion(endOf(last), `, ${argument}`);
}

/** The quote that a file uses more. */
export function quoteOf(text: string): '"' | "'" {
  return text.split('"').length > text.split("'").length ? '"' : "'";
}

export function eolOf(text: string): '\r\n' | '\n' {
  return text.includes('\r\n') ? '\r\n' : '\n';
}
