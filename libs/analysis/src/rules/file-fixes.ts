import type { Span } from '../flow/ir.js';
import { parseDockerfile, type DockerInstruction } from '../parse/dockerfile.js';
import type { TextEdit } from './text-edit.js';
import { shellVariable } from '../actions/shell-variable.js';

/** Fixes of a place in a file that has no syntax tree, by name: `fix-templates.ts` says what they promise. */
export const FILE_FIXES = {
  /** `pip install` → `pip install --no-cache-dir`, `apk add` → `apk add --no-cache`. */
  'no-package-cache': instruction(({ source }) => [
    ...insertions(source, /\bpip[\d.]*[ \t]+install\b([^&;|]*)/g, ' --no-cache-dir', /--no-cache-dir/),
    ...insertions(source, /\bapk(?:[ \t]+-[^\s\\]+)*[ \t]+add\b([^&;|]*)/g, ' --no-cache', /--no-cache/),
  ]),
  /** `apt-get install x` → `apt-get install -y x`: without it the build fails. */
  'assume-yes': instruction(({ source }) =>
    insertions(
      source,
      /\b(?:apt-get|apt|yum|dnf|microdnf)(?:[ \t]+-[^\s\\]+)*[ \t]+(?:install|groupinstall|localinstall)\b([^&;|]*)/g,
      ' -y',
      /(^|\s)(-\w*y\w*|--yes|--assume-?yes|-qq)(?=\s|$)/,
    ),
  ),
  /** `apt` → `apt-get`, for what both do alike. */
  'apt-get': instruction(({ source }) =>
    [
      ...source.matchAll(
        /(?<=^|[\s;&|(])apt(?=[ \t]+(?:-[^\s\\]+[ \t]+)*(?:install|update|upgrade|remove|purge|autoremove|clean|autoclean)\b)/g,
      ),
    ].map(({ index }) => ({ start: index + 3, end: index + 3, text: '-get' })),
  ),
  /** `COPY a b dir` → `COPY a b dir/`: several sources want a folder, and the build fails without. */
  'folder-target': instruction(({ source, of }) => {
    const plain = /^[^\n"'[\]\\$]*$/.test(source) && !/--from=/.test(source);
    const words = of.value.replace(/^(--\S+\s+)+/, '').split(/\s+/);
    const end = source.trimEnd().length;
    return plain && words.length > 2 && !source.trimEnd().endsWith('/') ? [{ start: end, end, text: '/' }] : [];
  }),
  /** `CMD node a.js` → `CMD ["node", "a.js"]`: only plain words that no shell reads otherwise, where nothing else makes the command. */
  'command-list': instruction(({ source, of, all }) => {
    const [, head = '', command = ''] = /^(\s*CMD[ \t]+)([^\n]*?)[ \t\r]*$/i.exec(source) ?? [];
    const [program = '', ...rest] = command.split(/[ \t]+/);
    const plain = [program, ...rest].every((word) => /^[\w./:=@,+-]+$/.test(word));
    const alone = !all.some(
      (other) =>
        other !== of &&
        (/^(ENTRYPOINT|SHELL)$/.test(other.keyword) || (other.keyword === 'CMD' && other.stage === of.stage)),
    );
    const windows = all.some(({ keyword, value }) => keyword === 'FROM' && /windows|nanoserver/i.test(value));
    if (!plain || !alone || windows || program.includes('=') || SHELL_WORDS.has(program)) return [];
    const list = [program, ...rest].map((word) => JSON.stringify(word)).join(', ');
    return [{ start: head.length, end: head.length + command.length, text: `[${list}]` }];
  }),
  /** `MAINTAINER x` → `LABEL org.opencontainers.image.authors="x"`. */
  'authors-label': instruction(({ source }) => {
    const [, head = '', name = ''] = /^(\s*)MAINTAINER[ \t]+["']?([^"'\\$\r\n]+?)["']?[ \t\r]*$/i.exec(source) ?? [];
    const end = source.trimEnd().length;
    return name === '' ? [] : [{ start: head.length, end, text: `LABEL org.opencontainers.image.authors="${name}"` }];
  }),
  'shell-variable': (text, span) => shellVariable(text, span),
} as const satisfies Record<string, (text: string, span: Span) => TextEdit[] | undefined>;

/** What a shell knows by itself, or reads before it runs anything. */
const SHELL_WORDS = new Set(
  '. : alias bg break cd command continue eval exec exit export false fg for getopts if jobs read set shift source test times trap true type ulimit umask unset until wait while'.split(
    ' ',
  ),
);

interface Instruction {
  /** The instruction as it stands in the file; edits count from its start. */
  readonly source: string;
  readonly of: DockerInstruction;
  readonly all: readonly DockerInstruction[];
}

/** A fix of the instruction of a Dockerfile that a finding names. Here-documents and lists are left to people. */
function instruction(edit: (of: Instruction) => TextEdit[]): (text: string, span: Span) => TextEdit[] | undefined {
  return (text, { start, end }) => {
    const file = parseDockerfile(text);
    const of = file.instructions.find((one) => one.start === start && one.end === end);
    if (!file.valid || !of || of.heredocs.length > 0 || /^(--\S+\s+)*\[/.test(of.value)) return undefined;
    const edits = edit({ source: text.slice(start, end), of, all: file.instructions });
    return edits.map((one) => ({ start: start + one.start, end: start + one.end, text: one.text }));
  };
}

/** Puts a flag behind what each match ends with before its last group, where the rest of the command lacks it. */
function insertions(source: string, command: RegExp, flag: string, has: RegExp): TextEdit[] {
  return [...source.matchAll(command)].flatMap((match) => {
    if (has.test(match[0])) return [];
    const at = match.index + match[0].length - (match[1]?.length ?? 0);
    return [{ start: at, end: at, text: flag }];
  });
}
