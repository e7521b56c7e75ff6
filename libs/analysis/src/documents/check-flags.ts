import { evidence } from '../stack/evidence.js';
import { folderOf, inFolder } from '../stack/manifest.js';
import type { Command, Word } from './commands.js';
import type { Document } from './document.js';
import { listed, nearest, shown, type Drift } from './drift.js';
import type { Flag, ProgramFlags } from './program-flags.js';
import type { Mentions } from './mentions.js';
import { nearestOf, type Project } from './project.js';

const ALWAYS = /^--(help|version|no-.*|color|no-color|verbose|debug|quiet|config|inspect.*)$/;

/** Programs of this tree by the name that they are called with, and the folder of the package that they belong to. */
export function ownPrograms(project: Project): Map<string, string> {
  const programs = new Map<string, string>();
  for (const { name, fields, root } of project.nodePackages) {
    if (typeof fields.bin === 'string' && name !== undefined) programs.set(name.replace(/^@[^/]*\//, ''), root);
    else if (typeof fields.bin === 'object') for (const bin of Object.keys(fields.bin)) programs.set(bin, root);
  }
  for (const { scripts, root } of project.pythonPackages)
    for (const script of scripts.keys()) programs.set(script, root);
  // A wrapper at the root that people call by its path, `./devmesh`.
  for (const { path } of project.tree.files)
    if (
      !path.includes('/') &&
      /^[a-z][\w-]*$/.test(path) &&
      !/^(license|makefile|justfile|procfile|gemfile|dockerfile|authors|readme)$/i.test(path)
    )
      programs.set(`./${path}`, '.');
  return programs;
}

interface Call {
  readonly root: string;
  readonly rest: readonly Word[];
}

/** A call of one of the project's own programs. */
function callOf(
  project: Project,
  programs: ReadonlyMap<string, string>,
  document: Document,
  { words }: Command,
): Call | undefined {
  let [first, ...rest] = words;
  while (first && /^(npx|pnpx|bunx|uvx|pipx|poetry|uv|pnpm|yarn|npm|exec|run|dlx|--yes|-y|--)$/.test(first.text))
    [first, ...rest] = rest;
  if (!first) return undefined;
  const name = first.text.replace(/@[\w.^~-]+$/, '').replace(/^.*node_modules\/\.bin\//, '');
  const root = programs.get(name) ?? programs.get(name.replace(/^@[^/]*\//, ''));
  if (
    root !== undefined &&
    (words[0] === first || /^(npx|pnpx|bunx|uvx|pipx|poetry|uv|pnpm|yarn)$/.test(words[0]?.text ?? ''))
  )
    return { root, rest };
  if (/^(node|python3?|tsx|bun)$/.test(first.text)) {
    const [script, ...more] = rest;
    const path =
      script &&
      [folderOf(document.path), '.']
        .map((base) => inFolder(base, script.text.replace(/^\.\//, '')))
        .find((one) => project.tree.file(one));
    const owner =
      path === undefined ? undefined : nearestOf([...project.nodePackages, ...project.pythonPackages], path);
    if (owner) return { root: owner.root, rest: more };
  }
  return undefined;
}

/** Long flags given to the project's own programs; to be looked for in the code. */
export function flagsAsked(
  project: Project,
  document: Document,
  commands: readonly Command[],
): { root: string; word: Word; name: string }[] {
  const programs = ownPrograms(project);
  return commands.flatMap((command) => {
    const call = callOf(project, programs, document, command);
    if (!call) return [];
    const end = call.rest.findIndex(({ text }) => text === '--');
    const own = end < 0 ? call.rest : call.rest.slice(0, end);
    return own.flatMap((word) => {
      const name = /^(--[A-Za-z][\w-]*)(?:=.*)?$/.exec(word.text)?.[1];
      return name === undefined ? [] : [{ root: call.root, word, name }];
    });
  });
}

/** Flags that no program of the tree declares and that stand nowhere in its code. */
export function checkFlags(
  project: Project,
  document: Document,
  commands: readonly Command[],
  known: ProgramFlags,
  mentions: Mentions,
): Drift[] {
  if (!mentions.complete) return [];
  return flagsAsked(project, document, commands).flatMap(({ word, name }) => {
    // Only where flags are declared can one be known not to be.
    if (known.flags.length === 0 || known.open.length > 0 || ALWAYS.test(name) || mentions.of(name)) return [];
    const bare = name.slice(2);
    const camel = bare.replace(/-(\w)/g, (_whole, letter: string) => letter.toUpperCase());
    if (known.flags.some((flag) => sameFlag(flag, name) || flag.name === `--${camel}`)) return [];
    // A name of several words that stands in the code in any form may be read in a way that is not understood.
    if (bare.includes('-') && (mentions.of(bare) ?? mentions.of(camel) ?? mentions.of(bare.replaceAll('-', '_'))))
      return [];
    const names = [...new Set(known.flags.map((flag) => flag.name))];
    const near = nearest(name, names) ?? onlyRelated(name, names);
    const flag = known.flags.find((one) => one.name === near);
    const [some] = known.flags;
    const seen = flag ?? some;
    return [
      {
        rule: 'docs-unknown-flag' as const,
        document,
        start: word.start,
        end: word.end,
        says: `${shown(name)} is given, and no program here takes it: there are ${listed(names)}`,
        evidence: seen ? [evidence(seen.path, `declares ${seen.name}`, seen.line)] : [],
        ...(flag === undefined ? {} : { suggestion: `${flag.name} is there` }),
      },
    ];
  });
}

function sameFlag(flag: Flag, name: string): boolean {
  return flag.name === name || flag.name.replace(/^--?no-/, '--') === name || flag.name === name.slice(1);
}

/** `--output` for `--out`, when one alone begins like it. */
function onlyRelated(name: string, names: readonly string[]): string | undefined {
  const related = names.filter((other) => other.length > 4 && (other.startsWith(name) || name.startsWith(other)));
  return related.length === 1 ? related[0] : undefined;
}
