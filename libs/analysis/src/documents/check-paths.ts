import { posix } from 'node:path';
import { folderOf, inFolder } from '../stack/manifest.js';
import type { Command } from './commands.js';
import type { Document } from './document.js';
import { shown, type Drift } from './drift.js';
import type { Project } from './project.js';

const PATH = /^(?:\.\/)?[\w@.+-]+(?:\/[\w@.+()[\]-]+)*\/?$/;
/** Names of examples, of the reader's own files, and of what tools put somewhere. */
const PLACEHOLDER =
  /(^|[/_.-])(path|your|my|foo|bar|baz|example|sample|xxx+|some|name|username|user|new|a|b|x|y|n+|yyyy|hello|world|todo|tmp|temp)([/_.-]|\d*$|$)/i;
/** A sentence about something that is still to be made, or that is elsewhere. */
const MADE =
  /\b(creat\w*|mak(e|es|ing)|made|generat\w*|writ(e|es|ten|ing)|output\w*|emit\w*|add(s|ed|ing)?|produc\w*|sav(e|es|ed)|download\w*|copy|copies|copied|place[ds]?|puts?|rename[ds]?|mov(e|es|ed)|remov\w*|delet\w*|no longer|never|used to|was|were|old|former\w*|deprecat\w*|legacy|instead|e\.g|for example|for instance|such as|optional\w*|would|could|your|user'?s|mount\w*|container|branch(es)?|tag(s|ged)?|routes?|endpoints?|url|planned|future|not yet|todo)\b/i;
const KNOWN_EXTENSION =
  /\.([cm]?[jt]sx?|py|pyi|go|rs|java|kt|rb|php|cs|c|h|cc|cpp|hpp|sh|bash|ps1|sql|proto|graphql|md|mdx|rst|txt|json|jsonc|json5|ya?ml|toml|ini|cfg|conf|env|tf|hcl|html|css|scss|vue|svelte|service|mk|snippets)$/i;

/** Paths in code spans and in command lines that are not in the tree. */
export function checkPaths(project: Project, document: Document, commands: readonly Command[]): Drift[] {
  // What is made in one sentence is not there in the next one either.
  const made = new Set(
    document.spans.filter(({ text, context }) => MADE.test(sentenceAround(context, text))).map(({ text }) => text),
  );
  const spans = document.spans.flatMap(({ text, start, end }) => {
    const at = text.search(/:\d+(-\d+)?$/);
    const path = at < 0 ? text : text.slice(0, at);
    if (made.has(text)) return [];
    return checkPath(project, document, path, { start, end }, false) ?? [];
  });
  const inCommands = commands.flatMap(({ words, moved }) => {
    const [runner, ...rest] = words;
    if (!runner || moved) return [];
    // What an interpreter is given to run; other arguments may be the reader's own.
    const script = /^(node|python3?|bash|sh|tsx|ts-node|bun|deno|go)$/.test(runner.text)
      ? rest.find(({ text }) => !text.startsWith('-') && text !== 'run')
      : runner.text.startsWith('./')
        ? runner
        : undefined;
    const before = script ? (rest[rest.indexOf(script) - 1]?.text ?? '') : '';
    if (!script || /^-[mce]$|^--(import|require|eval|loader)$/.test(before)) return [];
    return checkPath(project, document, script.text, script, true) ?? [];
  });
  return [...spans, ...inCommands];
}

/** The sentence or row that a span stands in: a word about making things in the next one says nothing of it. */
function sentenceAround(context: string, text: string): string {
  const at = context.indexOf(text);
  if (at < 0) return context;
  const before =
    context
      .slice(0, at)
      .split(/[.!?:]\s+|\n(?=\s*[-*|])/)
      .at(-1) ?? '';
  const after = context.slice(at + text.length).split(/[.!?]\s|\n(?=\s*[-*|])/)[0] ?? '';
  return `${before} ${after}`;
}

function checkPath(
  project: Project,
  document: Document,
  written: string,
  at: { readonly start: number; readonly end: number },
  isRun: boolean,
): Drift[] | undefined {
  const { places } = project;
  if (!PATH.test(written) || written.length > 300 || /\d\.\d|^\.+$/.test(written)) return undefined;
  const path = posix.normalize(written).replace(/^\.\//, '').replace(/\/$/, '');
  const parts = path.split('/');
  const named = KNOWN_EXTENSION.test(path) || (written.endsWith('/') && parts.length > 1);
  if (path.startsWith('..') || path === '.' || (parts.length < 2 && !(isRun && written.startsWith('./'))))
    return undefined;
  const bases = [
    ...new Set([
      ...foldersAbove(document.path),
      ...project.stack.components.flatMap(({ component: { root } }) => [root, inFolder(root, 'src')]),
    ]),
  ];
  const candidates = bases.map((base) => posix.normalize(inFolder(base, path)));
  if (candidates.some((one) => formsOf(one).some((form) => places.presence(form) === 'there'))) return undefined;
  if (formsOf(path).some((form) => places.endsSomewhere(form))) return undefined;
  if (candidates.some((one) => places.presence(one) === 'unknown')) return undefined;
  // Only what begins with a folder of this tree is surely a path of it.
  const base = bases.find((one) => places.isFolder(posix.normalize(inFolder(one, parts[0] ?? ''))) && parts.length > 1);
  const full = base === undefined ? path : posix.normalize(inFolder(base, path));
  const was = project.whereabouts(full);
  // `runs/RUN/`: a word in capitals stands for something.
  if (parts.some((part) => /^[A-Z][A-Z_]*$/.test(part) && part !== 'README' && part !== 'LICENSE')) return undefined;
  if (!named || PLACEHOLDER.test(path) || (base === undefined && !(isRun && document.path === 'README.md')))
    return undefined;
  // A path of one more folder below this one is often one of the reader's tree.
  if (
    parts.length > 1 &&
    base !== undefined &&
    !places.isFolder(folderOf(full)) &&
    was.now === undefined &&
    parts.length < 3
  )
    return undefined;
  return [
    {
      rule: 'docs-missing-path',
      document,
      start: at.start,
      end: at.end,
      says: `${shown(written)} is named, and it is not in the repository${was.because}`,
      evidence: [],
      ...(was.now === undefined ? {} : { suggestion: `perhaps ${was.now} is meant` }),
    },
  ];
}

/** A module may be named without its extension, or as what it is compiled to. */
function formsOf(path: string): string[] {
  const bare = path.replace(/\.[cm]?jsx?$/, '');
  return [path, ...['.ts', '.tsx', '.js', '.mjs', '.py', '.md', '.go'].map((end) => `${bare}${end}`)];
}

function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let folder = folderOf(path); ; folder = folderOf(folder)) {
    folders.push(folder);
    if (folder === '.') return folders;
  }
}
