import type { Span } from '../flow/ir.js';
import type { TextEdit } from '../rules/text-edit.js';

/** A step of a workflow around a `run:`, as lines of the file. */
interface Step {
  /** Column of its keys. */
  readonly column: number;
  /** Index of the line with `run:`, and of the last line of its script. */
  readonly run: number;
  readonly last: number;
  /** Index of the line with `env:`. */
  readonly env: number | undefined;
  /** Where the script begins, in UTF-16 code units of the file. */
  readonly script: number;
}

interface Line {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Hands an expression in the script of a step over in a variable: `echo "${{ x.title }}"` becomes `echo "${TITLE}"`, and the step's
 * `env` gets `TITLE: ${{ x.title }}`. What the shell sees is the same text, but it runs none of it. Undefined where that can't be told:
 * another shell, single quotes, here-documents, a script in quotes of YAML.
 */
export function shellVariable(text: string, { start, end }: Span): TextEdit[] | undefined {
  const expression = text.slice(start, end);
  const path = /^\$\{\{\s*([\w.-]+)\s*\}\}$/.exec(expression)?.[1];
  if (path === undefined || /^\s*(- )?shell:|windows|pwsh|powershell/im.test(text)) return undefined;
  const lines = linesOf(text);
  const step = stepAround(lines, start);
  if (!step) return undefined;
  const before = text.slice(step.script, start);
  const quotes = quotesAt(before);
  if (quotes === undefined || /<<-?\s*["'\w]/.test(before)) return undefined;
  const name = variableName(path);
  const known = valueIn(lines, step, name);
  if (known !== undefined && known !== expression) return undefined;
  const variable = quotes === '"' ? `\${${name}}` : `"\${${name}}"`;
  const edits = [{ start, end, text: variable }];
  if (known !== undefined) return edits;
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const indent = ' '.repeat(step.column);
  if (step.env !== undefined) {
    const inner = /^\s+/.exec(lines[step.env + 1]?.text ?? '')?.[0] ?? `${indent}  `;
    const at = lines[step.env]?.end ?? 0;
    return [...edits, { start: at, end: at, text: `${newline}${inner}${name}: ${expression}` }].sort(
      (a, b) => a.start - b.start,
    );
  }
  const at = lines[step.last]?.end ?? text.length;
  return [...edits, { start: at, end: at, text: `${newline}${indent}env:${newline}${indent}  ${name}: ${expression}` }];
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  for (const { 0: line, index } of text.matchAll(/[^\n]*(?:\n|$)/g)) {
    if (line === '') continue;
    const bare = line.replace(/\r?\n$/, '');
    lines.push({ text: bare, start: index, end: index + bare.length });
  }
  return lines;
}

function stepAround(lines: readonly Line[], at: number): Step | undefined {
  const here = lines.findIndex(({ start, end }) => start <= at && at < end);
  for (let run = here; run >= 0; run -= 1) {
    const [head, blanks = '', value = ''] = /^(\s*(?:- )?\s*)run:[ \t]*(.*)$/.exec(lines[run]?.text ?? '') ?? [];
    if (head === undefined) continue;
    const column = blanks.length;
    const isBlock = /^\|[-+]?\s*(#.*)?$/.test(value);
    // One line of plain text, or a literal block: of all other forms what the shell sees is not what stands here.
    if (isBlock ? run === here : run !== here || /^["'>|&*!{[]/.test(value)) return undefined;
    const last = isBlock ? lastOf(lines, run, column) : run;
    if (here > last) return undefined;
    const line = lines[run];
    const script = isBlock ? (lines[run + 1]?.start ?? 0) : (line?.end ?? 0) - value.length;
    return { column, run, last, env: envOf(lines, run, column), script };
  }
  return undefined;
}

function indentOf(text: string): number {
  return text.length - text.trimStart().length;
}

/** The last line of a block that belongs to a key in this column. */
function lastOf(lines: readonly Line[], key: number, column: number): number {
  let last = key;
  for (let i = key + 1; i < lines.length; i += 1) {
    const { text } = lines[i] ?? { text: '' };
    if (text.trim() === '') continue;
    if (indentOf(text) <= column) break;
    last = i;
  }
  return last;
}

/** The line of a block `env:` among the keys of the same step. */
function envOf(lines: readonly Line[], run: number, column: number): number | undefined {
  const isKey = (text: string): boolean => /^\s*(- )?\s*env:\s*(#.*)?$/.test(text) && text.indexOf('env:') === column;
  const isStart = (text: string): boolean => /^\s*- /.test(text) && indentOf(text) === column - 2;
  for (let i = run; i >= 0; i -= 1) {
    const text = lines[i]?.text ?? '';
    if (isKey(text)) return i;
    if (isStart(text) || (text.trim() !== '' && indentOf(text) < column - 2)) break;
  }
  for (let i = run + 1; i < lines.length; i += 1) {
    const text = lines[i]?.text ?? '';
    if (text.trim() !== '' && indentOf(text) < column) break;
    if (isKey(text)) return i;
  }
  return undefined;
}

/** The value of a variable that the step's `env` has already. */
function valueIn(lines: readonly Line[], { env, column }: Step, name: string): string | undefined {
  if (env === undefined) return undefined;
  for (let i = env + 1; i <= lastOf(lines, env, column); i += 1) {
    const [, key, value = ''] = /^\s*([\w-]+):\s*(.*?)\s*$/.exec(lines[i]?.text ?? '') ?? [];
    if (key === name) return value;
  }
  return undefined;
}

/** The quotes that are open at the end of a piece of shell: `"`, none (''), or undefined within single quotes. */
function quotesAt(script: string): '"' | '' | undefined {
  let open: '"' | "'" | '' = '';
  for (let i = 0; i < script.length; i += 1) {
    const char = script[i];
    if (char === '\\' && open !== "'") i += 1;
    else if (open === '' && char === '#' && /\s/.test(script[i - 1] ?? ' ')) {
      while (i < script.length && script[i] !== '\n') i += 1;
    } else if (char === open) open = '';
    else if (open === '' && (char === '"' || char === "'")) open = char;
  }
  return open === "'" ? undefined : open;
}

/** `github.event.issue.title` → `ISSUE_TITLE`, `github.head_ref` → `HEAD_REF`. */
function variableName(path: string): string {
  const parts = path.split('.').filter((part) => !/^(github|event|inputs|\*)$/.test(part));
  return parts.slice(-2).join('_').replace(/\W/g, '_').toUpperCase().replace(/^(\d)/, '_$1');
}
