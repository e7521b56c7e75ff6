import type { DockerInstruction, Dockerfile, DockerStage } from '../parse/dockerfile.js';
import { looksLikeSecret, namesSecret } from '../secrets/credential.js';
import { eolOf, insertion, type TextEdit } from './text-edit.js';

/** A place in a Dockerfile, in UTF-16 code units, and the edits that mend it where that is safe. */
export interface DockerHit {
  readonly start: number;
  readonly end: number;
  readonly fix?: readonly TextEdit[];
}

/** What a Dockerfile is asked, by name. `text` is the whole file. */
export const DOCKER_CHECKS = {
  'final-stage-runs-as-root': ({ stages }) => {
    const last = stages.at(-1);
    if (!last || !runsAsRoot(last, stages)) return [];
    const start =
      last.instructions.findLast(({ keyword }) => keyword === 'CMD' || keyword === 'ENTRYPOINT') ?? last.from;
    return [spot(start)];
  },
  'base-without-version': ({ stages }) =>
    stages.filter(({ base }, index) => isUnpinned(base, stages.slice(0, index))).map(({ from }) => spot(from)),
  'apt-installs-recommends': (dockerfile, text) =>
    runs(dockerfile)
      .filter(({ script }) =>
        aptInstalls(script).some((line) => !/--no-install-recommends|APT::Install-Recommends/.test(line)),
      )
      .filter(({ script }) => !/APT::Install-Recommends/.test(script))
      .map(({ instruction }) => {
        const edits = recommendsEdits(instruction, text);
        return edits.length > 0 ? { ...spot(instruction), fix: edits } : spot(instruction);
      }),
  'apt-lists-stay': (dockerfile, text) =>
    runs(dockerfile)
      .filter(({ instruction, script }) => {
        if (
          aptInstalls(script).length === 0 ||
          /--mount=type=cache[^ ]*\/var\/(lib|cache)\/apt/.test(instruction.value)
        )
          return false;
        // What a stage leaves behind that nothing is built on does not reach the image.
        return (
          isInFinalImage(instruction, dockerfile) && !/rm\s+-[a-z]*r[a-z]*\s[^&;|]*\/var\/lib\/apt\/lists/.test(script)
        );
      })
      .map(({ instruction }) => ({ ...spot(instruction), fix: removalOfLists(instruction, dockerfile, text) })),
  'add-of-local-file': ({ instructions }, text) =>
    instructions
      .filter(({ keyword, value, heredocs }) => keyword === 'ADD' && heredocs.length === 0 && addsPlainFile(value))
      .map((instruction) => {
        const at = instruction.start + text.slice(instruction.start).search(/add/i);
        return { ...spot(instruction), fix: [{ start: at, end: at + 3, text: text[at] === 'a' ? 'copy' : 'COPY' }] };
      }),
  sudo: (dockerfile) =>
    runs(dockerfile)
      .filter(({ script }) => /(^|[\n;&|(])\s*sudo\s/.test(script))
      .map(({ instruction }) => spot(instruction)),
  'secret-in-environment': ({ instructions }) =>
    instructions
      .filter(({ keyword, value }) => (keyword === 'ENV' || keyword === 'ARG') && assignments(value).some(isSecret))
      .map(spot),
} as const satisfies Record<string, (dockerfile: Dockerfile, text: string) => DockerHit[]>;
export type DockerCheckName = keyof typeof DOCKER_CHECKS;

function spot({ start, end }: DockerInstruction): DockerHit {
  return { start, end };
}

/** The image's own name for a user that is not root is taken for its word; a variable may be anything and is left alone. */
function runsAsRoot(stage: DockerStage, stages: readonly DockerStage[]): boolean {
  const user = stage.instructions.findLast(({ keyword }) => keyword === 'USER')?.value;
  if (user !== undefined) return /^("|')?(root|0)(:|\1|$)/.test(user);
  const parent = stages.find((other) => other !== stage && other.name !== undefined && other.name === stage.base);
  if (parent) return runsAsRoot(parent, stages);
  return stage.base !== 'scratch' && !/nonroot|rootless|unprivileged|\$|^(cgr\.dev|[^/]*chainguard)/.test(stage.base);
}

function isUnpinned(base: string, earlier: readonly DockerStage[]): boolean {
  if (base === 'scratch' || base === '' || base.includes('$') || base.includes('@sha256:')) return false;
  if (earlier.some(({ name }) => name === base)) return false;
  const tag = base.slice(base.lastIndexOf('/') + 1).split(':')[1];
  return tag === undefined || tag === 'latest';
}

/** What every RUN executes: its text and its here-documents, without flags of RUN itself. */
function runs({ instructions }: Dockerfile): { instruction: DockerInstruction; script: string }[] {
  return instructions
    .filter(({ keyword }) => keyword === 'RUN')
    .map((instruction) => ({ instruction, script: [execForm(instruction.value), ...instruction.heredocs].join('\n') }));
}

/** `["apt-get", "install"]` reads as `apt-get install`. */
function execForm(value: string): string {
  const flagless = value.replace(/^(--\S+\s+)+/, '');
  if (!flagless.startsWith('[')) return flagless;
  return flagless.replace(/^\[\s*"|"\s*\]$/g, '').replace(/"\s*,\s*"/g, ' ');
}

/** Commands of a script that install with apt. */
function aptInstalls(script: string): string[] {
  return script.split(/&&|\|\||[;\n|]/).filter((command) => /\bapt(-get)?\s(.*\s)?install\b/.test(command));
}

/** Puts the flag behind every `install` of apt that lacks it, wherever lines break. */
function recommendsEdits(instruction: DockerInstruction, text: string): TextEdit[] {
  const source = text.slice(instruction.start, instruction.end);
  const edits: TextEdit[] = [];
  for (const match of source.matchAll(/\bapt(?:-get)?(?:[ \t]+-[^\s\\]+)*[ \t]+install\b([^&;|]*)/g)) {
    if (/--no-install-recommends/.test(match[0])) continue;
    const at = instruction.start + match.index + match[0].length - (match[1]?.length ?? 0);
    edits.push({ start: at, end: at, text: ' --no-install-recommends' });
  }
  return edits;
}

const INSTALLS = /\bapt(-get)?\s[^&;|]*(install|build-dep|upgrade)\b/;
const UPDATES = /\bapt(-get)?\s[^&;|]*update\b/;

/** Removes the lists at the end of the same RUN, where its end is that of a plain command and no later one installs from them. */
function removalOfLists(instruction: DockerInstruction, dockerfile: Dockerfile, text: string): TextEdit[] {
  const { value, heredocs, start, end } = instruction;
  const source = text.slice(start, end).trimEnd();
  if (heredocs.length > 0 || /^(--\S+\s+)*\[/.test(value) || /[;&|({\\`]$|\s#[^\n]*$/.test(source)) return [];
  const later = runs(dockerfile).filter((run) => run.instruction.start > start);
  if (later.some(({ script }) => INSTALLS.test(script) && !UPDATES.test(script)) || /\bsudo\b/.test(value)) return [];
  const last = source.slice(source.lastIndexOf('\n') + 1);
  const glue = source.includes('\n') ? ` \\${eolOf(text)}${/^[ \t]*/.exec(last)?.[0] ?? ''}&& ` : ' && ';
  return [insertion(start + source.length, `${glue}rm -rf /var/lib/apt/lists/*`)];
}

function isInFinalImage({ stage }: DockerInstruction, { stages }: Dockerfile): boolean {
  for (let at = stages.length - 1; at >= 0;) {
    if (at === stage) return true;
    const base = stages[at]?.base;
    const parent = stages.slice(0, at).findLastIndex(({ name }) => name !== undefined && name === base);
    if (parent < 0) return false;
    at = parent;
  }
  return false;
}

/** Addresses, git repositories and archives are what ADD is for; checksums and other flags of its own, too. */
function addsPlainFile(value: string): boolean {
  if (/--(checksum|keep-git-dir|unpack)/.test(value)) return false;
  const words = value.startsWith('[') ? [...value.matchAll(/"([^"]*)"/g)].map((m) => m[1] ?? '') : value.split(/\s+/);
  const sources = words.filter((word) => !word.startsWith('--')).slice(0, -1);
  return (
    sources.length > 0 &&
    sources.every((source) => !/^[a-z]+:\/\/|^git@|\$|\.(tar|tgz|tbz2?|txz|gz|bz2|xz|zst)(\.|$)|[*?]/i.test(source))
  );
}

function assignments(value: string): [string, string][] {
  return [...value.matchAll(/([A-Za-z_][A-Za-z0-9_]*)[= ]("[^"]*"|'[^']*'|\S+)/g)].map(([, name = '', text = '']) => [
    name,
    text.replace(/^["']|["']$/g, ''),
  ]);
}

function isSecret([name, text]: [string, string]): boolean {
  return namesSecret(name) && looksLikeSecret(text, name);
}
