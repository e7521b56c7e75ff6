import { isJavaScript, ruleLanguageOf, type TreeLanguage } from '../parse/language.js';
import { parseSyntax } from '../parse/syntax.js';
import { Positions } from '../parse/positions.js';

/** What marks a comment that silences findings: `devmesh-ignore RULE: why (until 2027-01-31)`. */
export const MARK = 'devmesh-ignore';

/** A comment that silences findings of some rules in its line, or in the next one when it stands alone. */
export interface Suppression {
  readonly path: string;
  /** 1-based: where it stands. */
  readonly line: number;
  readonly column: number;
  readonly endColumn: number;
  /** The line that it is about. */
  readonly target: number;
  /** Ids or classes. */
  readonly rules: readonly string[];
  readonly reason: string;
  /** The last day on which it counts, as `2027-01-31`. */
  readonly until: string | undefined;
}

const OPENERS = /(?:\/\/+|\/\*+|#+|<!--|--|;+|\{\/\*|%|^[ \t]*\*)[ \t]*devmesh-ignore\b/;
const FORM = /devmesh-ignore\b[ \t]*([^:\r\n]{0,500})(?::[ \t]*(.{0,1000}))?/;
const UNTIL = /[ \t]*\(until (\d{4}-\d{2}-\d{2})\)[ \t]*$/;

/** Every comment of a text that silences findings. In languages with a grammar only what is a comment to it counts. */
export function suppressionsIn(path: string, text: string): Suppression[] {
  if (!text.includes(MARK)) return [];
  const positions = new Positions(text);
  const lines = text.split('\n');
  const isComment = commentTest(path, text);
  return lines.flatMap((raw, index): Suppression[] => {
    const line = raw.replace(/\r$/, '').slice(0, 2000);
    const opener = OPENERS.exec(line);
    if (!opener) return [];
    const start = opener.index + opener[0].length - MARK.length;
    if (!isComment(positions.startOf(index + 1) + start)) return [];
    const [whole = '', names = '', rest = ''] = FORM.exec(line.slice(start)) ?? [];
    const said = rest.replace(/[ \t]*(\*\/\}?|-->)[ \t]*$/, '').trim();
    const until = UNTIL.exec(said)?.[1];
    const alone = /^[ \t]*$/.test(line.slice(0, opener.index));
    return [
      {
        path,
        line: index + 1,
        column: start + 1,
        endColumn: start + whole.trimEnd().length + 1,
        target: alone ? nextCode(lines, index) : index + 1,
        rules: names
          .replace(/(\*\/\}?|-->)\s*$/, '')
          .split(/[\s,]+/)
          .filter((name) => name !== ''),
        reason: said.replace(UNTIL, '').trim(),
        until,
      },
    ];
  });
}

/** The number of the next line that is neither blank nor another such comment. */
function nextCode(lines: readonly string[], index: number): number {
  let at = index + 1;
  while (at < lines.length && (/^\s*$/.test(lines[at] ?? '') || OPENERS.test(lines[at] ?? ''))) at += 1;
  return at + 1;
}

function commentTest(path: string, text: string): (offset: number) => boolean {
  const language = ruleLanguageOf(path);
  if (language !== 'python' && !isJavaScript(language)) return () => true;
  const root = parseSyntax(language as TreeLanguage, text);
  const comments = root.findAll({ rule: { kind: 'comment' } }).map((node) => node.range());
  return (offset) => comments.some(({ start, end }) => start.index <= offset && offset < end.index);
}
