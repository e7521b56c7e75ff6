import type { StackReport } from '../stack/component-report.js';
import type { SourceTree } from '../tree/source-tree.js';
import { commandsOf } from './commands.js';
import { documentKind, type Document } from './document.js';
import type { DriftRule } from './drift.js';
import { readPackages } from './packages.js';
import { fromDocument, Places } from './places.js';
import { readMarkdown } from './read-markdown.js';

/** A statement that held and was changed so that it no longer does. */
export interface PlantedStatement {
  readonly rule: DriftRule;
  readonly path: string;
  readonly line: number;
  /** What it reads now. */
  readonly now: string;
}

/** Statements of a kind in one tree; more tell nothing new. */
const MAX_OF_A_RULE = 12;

/**
 * Changes statements of a tree's documents that hold: links, headings linked to, paths, scripts, variables. Each gets a name that
 * could have been its own before a rename. For measuring what the check finds; nothing is written to disk.
 */
export async function plant(
  tree: SourceTree,
  stack: StackReport,
): Promise<{ documents: { path: string; text: string }[]; statements: PlantedStatement[] }> {
  const places = new Places(tree);
  const scripts = new Set((await readPackages(tree)).node.flatMap((one) => [...one.scripts.keys()]));
  const variables = new Set(stack.components.flatMap(({ environment }) => environment.map(({ name }) => name)));
  const statements: PlantedStatement[] = [];
  const documents: { path: string; text: string }[] = [];
  const count = (rule: DriftRule): number => statements.filter((one) => one.rule === rule).length;
  for (const { path, utf8 } of tree.files) {
    const text =
      utf8 && /\.md$/i.test(path) && documentKind(path) === 'guide' ? tree.text(path, 512 * 1024) : undefined;
    if (text === undefined) continue;
    const edits = editsOf(readMarkdown(path, text, 'guide'), places, { scripts, variables }).filter((edit, i, all) => {
      const overlaps = all.slice(0, i).some((other) => edit.start < other.end && other.start < edit.end);
      return !overlaps && edit.start < edit.end;
    });
    let changed = text;
    for (const edit of edits.sort((a, b) => b.start - a.start)) {
      if (count(edit.rule) >= MAX_OF_A_RULE) continue;
      changed = changed.slice(0, edit.start) + edit.now + changed.slice(edit.end);
      statements.push({ rule: edit.rule, path, line: text.slice(0, edit.start).split('\n').length, now: edit.now });
    }
    if (changed !== text) documents.push({ path, text: changed });
  }
  return { documents, statements };
}

interface Edit {
  readonly rule: DriftRule;
  readonly start: number;
  readonly end: number;
  readonly now: string;
}

/** `src/pool.ts` → `src/pool_v0.ts`, as if it had been renamed since. */
function renamed(path: string): string {
  return path.replace(/([^/.]+)((?:\.[^/]*)?\/?)$/, '$1_v0$2');
}

interface KnownNames {
  readonly scripts: ReadonlySet<string>;
  /** Variables that the code reads. */
  readonly variables: ReadonlySet<string>;
}

function editsOf(document: Document, places: Places, known: KnownNames): Edit[] {
  const edits: Edit[] = [];
  const { text } = document;
  for (const { target, start, end } of document.links) {
    if (text.slice(start, end) !== target || /^([a-z]+:|\/)/i.test(target)) continue;
    const [path = '', anchor = ''] = target.split('#');
    if (path !== '' && !places.published && /\.\w+$/.test(path) && places.tree.file(fromDocument(document.path, path)))
      edits.push({ rule: 'docs-broken-link', start, end, now: renamed(path) });
    else if (path === '' && anchor.length > 3 && !/^L\d/.test(anchor))
      edits.push({ rule: 'docs-missing-anchor', start, end, now: `#former-${anchor}` });
  }
  for (const { text: span, start, end } of document.spans) {
    if (text.slice(start, end) !== span) continue;
    if (known.variables.has(span) && span.includes('_'))
      edits.push({ rule: 'docs-unread-variable', start, end, now: `${span}_V0` });
    if (places.published) continue;
    const path = fromDocument(document.path, span);
    const file = [path, span].find((one) => places.tree.file(one));
    if (/^[\w.@-]+(\/[\w.@-]+)+\.\w+$/.test(span) && file !== undefined)
      edits.push({ rule: 'docs-missing-path', start, end, now: renamed(span) });
  }
  for (const { words } of commandsOf(document, new Set())) {
    const [runner, verb, name] = words;
    if (runner && name && /^(npm|pnpm|yarn)$/.test(runner.text) && verb?.text === 'run' && known.scripts.has(name.text))
      edits.push({ rule: 'docs-unknown-script', start: name.start, end: name.end, now: `${name.text}-v0` });
  }
  return edits;
}
