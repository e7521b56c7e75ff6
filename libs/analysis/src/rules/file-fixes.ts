import type { Span } from '../flow/ir.js';
import { parseDockerfile, type DockerInstruction, type DockerStage } from '../parse/dockerfile.js';
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
    (/\bwget\b/.test(source)
      ? []
      : [
          ...source.matchAll(
            /(?<=^|[\s;&|(])apt(?=[ \t]+(?:-[^\s\\]+[ \t]+)*(?:install|update|upgrade|remove|purge|autoremove|clean|autoclean)\b)/g,
          ),
        ]
    ).map(({ index }) => ({ start: index + 3, end: index + 3, text: '-get' })),
  ),
  /** `COPY a b dir` → `COPY a b dir/`: several sources want a folder, and the build fails without. */
  'folder-target': instruction(({ source, of, all }) => {
    const plain = /^[^\n"'[\]\\$]*$/.test(source) && !/--from=/.test(source);
    const words = of.value.replace(/^(--\S+\s+)+/, '').split(/\s+/);
    const end = source.trimEnd().length;
    const known =
      words.at(-1)?.startsWith('/') === true ||
      all.some((one) => one.keyword === 'WORKDIR' && one.stage === of.stage && one.start < of.start);
    return plain && known && words.length > 2 && !source.trimEnd().endsWith('/')
      ? [{ start: end, end, text: '/' }]
      : [];
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
  /** `WORKDIR app` → `/srv/app`, where what it is relative to is known. */
  'absolute-folder': instruction(({ source, of, stages }) => {
    const base = of.keyword === 'WORKDIR' && /^[\w./-]+$/.test(of.value) ? folderBefore(of, stages) : undefined;
    if (base === undefined || of.value.startsWith('/')) return [];
    const parts = [...base.split('/'), ...of.value.split('/')].filter((part) => part !== '' && part !== '.');
    const start = source.indexOf(of.value, source.search(/workdir/i) + 'workdir'.length);
    if (start < 0 || parts.includes('..')) return [];
    return [{ start, end: start + of.value.length, text: `/${parts.join('/')}` }];
  }),
  /** `RUN sudo x` → `RUN x`, where the user is root. */
  'without-sudo': instruction(({ source, of, stages }) => {
    const stage = stages[of.stage];
    const user = stage?.instructions.findLast(({ keyword, start }) => keyword === 'USER' && start < of.start);
    const isRoot = user ? /^(root|0)(:|$)/.test(user.value) : PLAIN_BASES.test(stage?.base ?? '');
    const found = [...source.matchAll(/(?<=^\s*RUN[ \t]+|[;&|(][ \t]*(?:\\\r?\n[ \t]*)?)sudo[ \t]+(?!-|\w+=)/gi)];
    if (!isRoot || found.length !== source.split(/\bsudo\b/).length - 1) return [];
    return found.map(({ index, 0: match }) => ({ start: index, end: index + match.length, text: '' }));
  }),
  'shell-variable': (text, span) => shellVariable(text, span),
} as const satisfies Record<string, (text: string, span: Span) => TextEdit[] | undefined>;

/** Images whose user is root and whose folder is "/", as their makers document. */
const PLAIN_BASES =
  /^(docker\.io\/)?(library\/)?(debian|ubuntu|alpine|node|python|busybox|fedora|rockylinux|almalinux|buildpack-deps)(:|@|$)/;

/** The folder that a stage is in before an instruction; undefined where its base image decides. */
function folderBefore(of: DockerInstruction, stages: readonly DockerStage[]): string | undefined {
  const stage = stages[of.stage];
  if (!stage) return undefined;
  let at = stage.base === 'scratch' || PLAIN_BASES.test(stage.base) ? '/' : '';
  for (const { keyword, value, start } of stage.instructions) {
    if (keyword !== 'WORKDIR' || start >= of.start) continue;
    if (!/^[\w./-]+$/.test(value)) return undefined;
    if (value.startsWith('/')) at = value;
    else if (at !== '') at = `${at}/${value}`;
  }
  return at === '' ? undefined : at;
}

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
  readonly stages: readonly DockerStage[];
}

/** A fix of the instruction of a Dockerfile that a finding names. Here-documents and lists are left to people. */
function instruction(edit: (of: Instruction) => TextEdit[]): (text: string, span: Span) => TextEdit[] | undefined {
  return (text, { start, end }) => {
    const file = parseDockerfile(text);
    const of = file.instructions.find((one) => one.start === start && one.end === end);
    if (!file.valid || !of || of.heredocs.length > 0 || /^(--\S+\s+)*\[/.test(of.value)) return undefined;
    const edits = edit({ source: text.slice(start, end), of, all: file.instructions, stages: file.stages });
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
