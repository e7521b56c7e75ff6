import type { CodeBlock, CodeSpan, Document } from './document.js';

export interface Word {
  readonly text: string;
  /** Offsets in the document, quotes included. */
  readonly start: number;
  readonly end: number;
}

/** One simple command of a document. */
export interface Command {
  readonly words: readonly Word[];
  /** Variables set for it, or exported: `NAME=value`. */
  readonly sets: readonly Word[];
  /** Headings above it. */
  readonly under: readonly string[];
  readonly context: string;
  /** Whether it stands in a block, rather than in a sentence. */
  readonly block: boolean;
  /** Whether a `cd`, or an option of the runner, takes it to another folder. */
  readonly moved: boolean;
}

const SHELLS = new Set([
  'sh',
  'bash',
  'shell',
  'zsh',
  'fish',
  'console',
  'terminal',
  'shell-session',
  'shellsession',
  'cmd',
  'bat',
  'powershell',
  'ps1',
  'command',
  'commandline',
]);
/** Blocks that name no language may hold anything: only lines that begin like a command count. */
const RUNNER =
  /^(npm|pnpm|yarn|bun|npx|pnpx|bunx|make|just|poetry|uv|pip3?|pipx|python3?|node|go|docker|git|cd|export|curl|sudo|\.\/[\w./-]+)$/;
const PROMPT = /^(\s*)(?:\([\w.-]+\)\s*)?(?:[\w.@~:/-]+)?[$%❯➜]\s+/;
const MAX_COMMANDS = 5000;

/** The commands that a document shows: in blocks of a shell, and in code between words. `programs` are names beside the usual runners. */
export function commandsOf(document: Document, programs: ReadonlySet<string>): Command[] {
  const starts = (word: string): boolean => RUNNER.test(word) || programs.has(word);
  const found: Command[] = [];
  for (const block of document.blocks) {
    if (found.length > MAX_COMMANDS) break;
    if (SHELLS.has(block.language) || block.language === '' || block.language === 'text')
      found.push(...ofBlock(document, block, starts));
  }
  for (const span of document.spans) {
    if (found.length > MAX_COMMANDS) break;
    const [first = '', ...rest] = span.text.trim().split(/\s+/);
    if (rest.length > 0 && (starts(first) || /^[A-Z][A-Z0-9_]*=/.test(first))) found.push(...ofSpan(document, span));
  }
  return found;
}

function ofSpan(document: Document, span: CodeSpan): Command[] {
  const source = document.text.slice(span.start, span.end);
  return split(source, span.start).map(({ words, sets }) => ({
    words,
    sets,
    under: span.under,
    context: span.context,
    block: false,
    moved: false,
  }));
}

function ofBlock(document: Document, block: CodeBlock, starts: (word: string) => boolean): Command[] {
  const source = document.text
    .slice(block.start, block.end)
    .replace(/^ {0,3}(```|~~~)[^\n]*\s*$/gm, (fence) => ' '.repeat(fence.length));
  const prompts = source.split('\n').some((line) => PROMPT.test(line));
  const commands: Command[] = [];
  let moved = false;
  let until: string | undefined;
  let offset = 0;
  let continued = '';
  let continuedAt = 0;
  for (const raw of source.split('\n')) {
    const at = offset;
    offset += raw.length + 1;
    if (until !== undefined) {
      if (raw.trim() === until) until = undefined;
      continue;
    }
    let line = raw.replace(/\r$/, ' ');
    if (continued === '') {
      const prompt = PROMPT.exec(line)?.[0] ?? '';
      // What stands between prompts is what commands print.
      if (prompts && prompt === '') continue;
      line = ' '.repeat(prompt.length) + line.slice(prompt.length);
      continuedAt = at;
    }
    if (line.endsWith('\\')) {
      continued += `${line.slice(0, -1)}  `;
      continue;
    }
    const whole = continued + line;
    continued = '';
    until = /<<-?\s*["']?(\w+)["']?/.exec(whole)?.[1];
    for (const { words, sets } of split(whole, block.start + continuedAt)) {
      const first = words[0]?.text ?? '';
      if (!SHELLS.has(block.language) && !starts(first) && !(words.length === 0 && sets.length > 0)) continue;
      if (first === 'cd' || first === 'pushd') moved = true;
      commands.push({ words, sets, under: block.under, context: block.context, block: true, moved });
    }
  }
  return commands;
}

/** Splits a line into simple commands, as a shell would; substitutions stay words. */
function split(line: string, base: number): { words: Word[]; sets: Word[] }[] {
  const commands: { words: Word[]; sets: Word[] }[] = [];
  let current: { words: Word[]; sets: Word[] } = { words: [], sets: [] };
  const end = (): void => {
    if (current.words.length > 0 || current.sets.length > 0) commands.push(current);
    current = { words: [], sets: [] };
  };
  for (const match of line.matchAll(/&&|\|\||[;|&()]|#.*$|(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s;|&()"'\\])+|["'\\]/g)) {
    const [text] = match;
    const start = base + match.index;
    if (/^(&&|\|\||[;|&()])$/.test(text)) end();
    else if (text.startsWith('#')) break;
    else {
      const word = { text: text.replace(/^(["'])(.*)\1$/s, '$2'), start, end: start + text.length };
      const exports = current.words.length === 1 && current.words[0]?.text === 'export';
      if (/^[A-Za-z_]\w*=/.test(text) && (current.words.length === 0 || exports)) current.sets.push(word);
      else if (!(current.words.length === 0 && /^(sudo|time|exec|env)$/.test(text))) current.words.push(word);
    }
  }
  end();
  return commands;
}
