import { evidence } from '../stack/evidence.js';
import type { Command, Word } from './commands.js';
import type { Document } from './document.js';
import { listed, nearest, shown, type Drift } from './drift.js';
import type { NodePackage } from './packages.js';
import { nearestOf, type Project } from './project.js';

const RUNNERS = new Set(['npm', 'pnpm', 'yarn', 'bun']);
/** Scripts that npm runs by their own names. */
const LIFECYCLE = new Set([
  'test',
  'start',
  'stop',
  'restart',
  'install',
  'uninstall',
  'prepare',
  'publish',
  'version',
  'pack',
]);
const PLACEHOLDER = /[<>$*{}[\]…]|^(script|script-name|name|task|target|command|cmd|xxx|foo|bar)$|\.\.\./i;
/** Headings and file names under which commands are for those who work on this project. */
const OF_THIS_PROJECT =
  /\b(develop\w*|contribut\w*|hack\w*|build\w*|test\w*|set-? ?up|local\w*|running|run|scripts?|commands?|quick ?start|getting started|release|lint\w*)\b/i;
const CONTRIBUTING = /(^|\/)(contributing|development|develop|hacking|building)[^/]*$/i;

/** Scripts of package.json, targets of make, recipes of just, scripts of Poetry: those that nothing defines. */
export function checkScripts(project: Project, document: Document, commands: readonly Command[]): Drift[] {
  const asked = commands.flatMap((command) => runOf(command) ?? []);
  const defined = new Set(project.nodePackages.flatMap(({ scripts }) => [...scripts.keys()]));
  const someHold = asked.some(({ name }) => defined.has(name.text));
  return [
    ...asked.flatMap((run) => checkRun(project, document, run, someHold) ?? []),
    ...commands.flatMap((command) => checkTask(project, document, command) ?? []),
    ...commands.flatMap((command) => checkPythonScript(project, document, command) ?? []),
  ];
}

interface Run {
  readonly command: Command;
  readonly runner: string;
  readonly name: Word;
  /** `npm run x` says that it is a script; `yarn x` may be a program. */
  readonly sure: boolean;
}

/** The script that a command of a package manager runs. */
function runOf(command: Command): Run | undefined {
  const [runner, ...rest] = command.words;
  if (!runner || !RUNNERS.has(runner.text)) return undefined;
  // Options before the verb may choose another package: that is looked at by all scripts of the tree anyway.
  const words = rest.filter(
    ({ text }, i) =>
      !text.startsWith('-') && !/^(-C|--prefix|--filter|-F|--dir|-w|--workspace)$/.test(rest[i - 1]?.text ?? ''),
  );
  const [verb, name] = words;
  if (!verb) return undefined;
  if (/^(run|run-script)$/.test(verb.text))
    return name && !PLACEHOLDER.test(name.text) ? { command, runner: runner.text, name, sure: true } : undefined;
  if (runner.text === 'yarn' && verb.text === 'workspace') return undefined;
  return /^[\w-]+(:[\w-]+)+$/.test(verb.text) && !PLACEHOLDER.test(verb.text) && runner.text !== 'npm'
    ? { command, runner: runner.text, name: verb, sure: false }
    : undefined;
}

function checkRun(project: Project, document: Document, run: Run, someHold: boolean): Drift[] | undefined {
  const { name } = run;
  const { nodePackages } = project;
  if (nodePackages.length === 0 || nodePackages.some(({ scripts }) => scripts.has(name.text))) return undefined;
  // `bun run file.ts` runs a file, `npm run test` a script that npm may supply.
  if (/[./]/.test(name.text) || LIFECYCLE.has(name.text)) return undefined;
  const own = nearestOf(nodePackages, document.path);
  if (!own || (!someHold && !isAboutThisProject(project, document, run.command, own))) return undefined;
  // Shown as something to add to a package.json of the reader's.
  if (document.blocks.some(({ text }) => text.includes(`"${name.text}"`))) return undefined;
  if (!run.sure && own.dependencies.has(name.text)) return undefined;
  const [path = ''] = own.paths;
  const names = [...own.scripts.keys()];
  const near = nearest(name.text, names) ?? onlyExtension(name.text, names);
  return [
    {
      rule: 'docs-unknown-script',
      document,
      start: run.command.words[0]?.start ?? name.start,
      end: name.end,
      says: `"${run.runner} ${run.sure ? 'run ' : ''}${shown(name.text)}" is to be run, and no package.json has that script: ${path} has ${listed(names) || 'none'}`,
      evidence: [evidence(path, 'has the scripts', [...own.scripts.values()][0]?.line)],
      ...(near === undefined ? {} : { suggestion: `the script ${near} is there` }),
    },
  ];
}

/** `test:unit` for `test`, `lint` for `lint:check`, when there is one alone. */
function onlyExtension(name: string, names: readonly string[]): string | undefined {
  const related = names.filter((other) => other.startsWith(`${name}:`) || name.startsWith(`${other}:`));
  return related.length === 1 ? related[0] : undefined;
}

function isAboutThisProject(project: Project, document: Document, command: Command, own: NodePackage): boolean {
  return (
    CONTRIBUTING.test(document.path) ||
    own.fields.private === true ||
    own.workspaces !== undefined ||
    (own.fields.bin === undefined &&
      command.under.some((title) => OF_THIS_PROJECT.test(title)) &&
      project.nodePackages.length > 0 &&
      /contribut|develop|hack|build/i.test(command.under.join(' ')))
  );
}

function checkTask(project: Project, document: Document, { words, moved }: Command): Drift[] | undefined {
  const [tool, ...rest] = words;
  if (!tool || (tool.text !== 'make' && tool.text !== 'just')) return undefined;
  const files = project.taskFiles.filter((file) => file.tool === tool.text);
  // Without such a file here it is made by another tool, or the reader's.
  if (files.length === 0 || files.some(({ open }) => open)) return undefined;
  if (moved && files.length > 1) return undefined;
  const found: Drift[] = [];
  for (const [index, word] of rest.entries()) {
    if (word.text.startsWith('-') || word.text.includes('=') || PLACEHOLDER.test(word.text)) {
      if (/^-[fC]$|^--(file|directory|justfile|working-directory)/.test(word.text)) return undefined;
      continue;
    }
    if (/^-[jIolO]$/.test(rest[index - 1]?.text ?? '') && /^\d+$/.test(word.text)) continue;
    if (!/^[A-Za-z_][\w.-]*$/.test(word.text)) return undefined;
    if (!files.some(({ names }) => names.has(word.text))) {
      const [file] = files;
      const names = [...(file?.names.keys() ?? [])].filter((name) => /^[\w-]+$/.test(name));
      const near = nearest(word.text, names);
      found.push({
        rule: 'docs-unknown-script',
        document,
        start: tool.start,
        end: word.end,
        says: `"${tool.text} ${shown(word.text)}" is to be run, and ${file?.path ?? ''} has no such ${tool.text === 'make' ? 'target' : 'recipe'}: it has ${listed(names)}`,
        evidence: file ? [evidence(file.path, 'has the targets', [...file.names.values()][0])] : [],
        ...(near === undefined ? {} : { suggestion: `${near} is there` }),
      });
    }
    // Arguments of a recipe follow its name.
    if (tool.text === 'just') break;
  }
  return found;
}

/** `poetry run NAME`: only a name that is nearly one of the project's scripts is a slip; any other is a program of a dependency. */
function checkPythonScript(project: Project, document: Document, { words }: Command): Drift[] | undefined {
  const [tool, verb, name] = words;
  if (!tool || !name || verb?.text !== 'run' || !/^(poetry|uv|pdm|hatch|rye)$/.test(tool.text)) return undefined;
  const own = nearestOf(project.pythonPackages, document.path);
  if (
    !own ||
    own.scripts.has(name.text) ||
    own.dependencies.has(name.text.toLowerCase()) ||
    !/^[A-Za-z][\w-]*$/.test(name.text)
  )
    return undefined;
  const near = nearest(name.text, own.scripts.keys());
  const script = near === undefined ? undefined : own.scripts.get(near);
  if (near === undefined || !script) return undefined;
  return [
    {
      rule: 'docs-unknown-script',
      document,
      start: tool.start,
      end: name.end,
      says: `"${tool.text} run ${shown(name.text)}" is to be run, and ${own.paths[0] ?? ''} has no such script: it has ${listed([...own.scripts.keys()])}`,
      evidence: [evidence(own.paths[0] ?? '', `the script ${near}`, script.line)],
      suggestion: `the script ${near} is there`,
    },
  ];
}
