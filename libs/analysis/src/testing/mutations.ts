import { isJavaScript, languageOf, type TreeLanguage } from '../parse/language.js';
import { isFunction, parseSyntax, upwards, type Node } from '../parse/syntax.js';
import { namesGuard } from '../rules/purpose.js';

/** A file on its way through mutations; `marks` are offsets that move along with the text. */
export interface MarkedFile {
  readonly path: string;
  readonly text: string;
  readonly marks: readonly number[];
}

/** Random numbers in [0, 1) that only depend on the seed (mulberry32). */
export type Random = () => number;

export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A change of form that keeps the meaning: given a tree, the edits. */
type Mutation = (root: Node, language: TreeLanguage, random: Random) => Edit[];

/** Replaces spans; a mark inside a replaced span moves to its start. Edits that overlap an earlier one are left out. */
export function edited(file: MarkedFile, edits: readonly Edit[]): MarkedFile {
  const sorted = [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
  let text = '';
  let at = 0;
  const marks = file.marks.map(() => -1);
  const settle = (until: number, shift: number) => {
    for (const [i, mark] of file.marks.entries()) if (marks[i] === -1 && mark < until) marks[i] = mark + shift;
  };
  for (const { start, end, text: replacement } of sorted) {
    if (start < at) continue;
    settle(start, text.length - at);
    text += file.text.slice(at, start);
    for (const [i, mark] of file.marks.entries())
      if (marks[i] === -1 && mark >= start && mark < end) marks[i] = text.length;
    text += replacement;
    at = end;
  }
  settle(Number.POSITIVE_INFINITY, text.length - at);
  return { ...file, text: text + file.text.slice(at), marks };
}

const WORDS = [
  'amber',
  'birch',
  'cedar',
  'delta',
  'ember',
  'fjord',
  'grove',
  'heron',
  'iris',
  'juniper',
  'kelp',
  'larch',
];

function word(random: Random): string {
  return `${WORDS[Math.floor(random() * WORDS.length)]}${Math.floor(random() * 1000)}`;
}

/** New names for parameters and local variables; what a name says about guarding something, it goes on saying. */
const renameLocals: Mutation = (root, language, random) => {
  const javascript = isJavaScript(language);
  const names = new Set<string>();
  const kinds = javascript ? ['variable_declarator'] : ['assignment'];
  for (const declaration of kinds.flatMap((kind) => root.findAll({ rule: { kind } }))) {
    const name = declaration.field('name') ?? declaration.field('left');
    if (name?.is('identifier') && isInFunction(declaration)) names.add(name.text());
  }
  for (const list of root.findAll({ rule: { kind: javascript ? 'formal_parameters' : 'parameters' } })) {
    for (const parameter of list.namedChildren()) {
      const name = parameter.is('identifier') ? parameter : parameter.field('pattern');
      if (name?.is('identifier')) names.add(name.text());
    }
  }
  // A name that is also a member's, a keyword's or another scope's has a meaning elsewhere.
  for (const kind of javascript ? ['shorthand_property_identifier', 'shorthand_property_identifier_pattern'] : []) {
    for (const node of root.findAll({ rule: { kind } })) names.delete(node.text());
  }
  for (const reserved of ['self', 'cls', 'this']) names.delete(reserved);
  const renamed = new Map([...names].map((name) => [name, namesGuard(name) ? `${name}${word(random)}` : word(random)]));
  return root.findAll({ rule: { kind: 'identifier' } }).flatMap((node) => {
    const to = renamed.get(node.text());
    const parent = node.parent();
    if (to === undefined || !parent || upwardsHas(node, /^import/)) return [];
    const isMember = parent.is('attribute') && parent.field('attribute')?.id() === node.id();
    const isKeyword = parent.is('keyword_argument') && parent.field('name')?.id() === node.id();
    return isMember || isKeyword ? [] : [over(node, to)];
  });
};

function isInFunction(node: Node): boolean {
  for (const at of upwards(node)) if (at !== node && isFunction(at)) return true;
  return false;
}

function upwardsHas(node: Node, kind: RegExp): boolean {
  for (const at of upwards(node)) if (kind.test(String(at.kind()))) return true;
  return false;
}

function over(node: Node, text: string): Edit {
  const { start, end } = node.range();
  return { start: start.index, end: end.index, text };
}

/** Imported modules under other names. */
const aliasImports: Mutation = (root, language, random) => {
  const aliases = new Map<string, string>();
  const edits: Edit[] = [];
  if (isJavaScript(language)) {
    for (const clause of root.findAll({ rule: { kind: 'import_clause' } })) {
      const whole = clause.namedChildren().find((child) => child.is('identifier'));
      if (!whole) continue;
      aliases.set(whole.text(), word(random));
      edits.push(over(whole, aliases.get(whole.text()) ?? ''));
    }
    for (const specifier of root.findAll({ rule: { kind: 'import_specifier' } })) {
      const name = specifier.field('name');
      if (!name || specifier.field('alias') || !/^[a-z]/.test(name.text())) continue;
      aliases.set(name.text(), word(random));
      edits.push(over(name, `${name.text()} as ${aliases.get(name.text())}`));
    }
  } else {
    for (const statement of root.findAll({ rule: { kind: 'import_statement' } })) {
      for (const name of statement.namedChildren()) {
        if (!name.is('dotted_name') || name.text().includes('.')) continue;
        aliases.set(name.text(), word(random));
        edits.push(over(name, `${name.text()} as ${aliases.get(name.text())}`));
      }
    }
  }
  for (const node of root.findAll({ rule: { kind: 'identifier' } })) {
    const to = aliases.get(node.text());
    const parent = node.parent();
    if (to === undefined || !parent || upwardsHas(node, /^import/)) continue;
    const isMember = parent.is('attribute') && parent.field('attribute')?.id() === node.id();
    const isKeyword = parent.is('keyword_argument') && parent.field('name')?.id() === node.id();
    if (!isMember && !isKeyword) edits.push(over(node, to));
  }
  return edits;
};

/** The other kind of quotes, where the text has neither quotes nor escapes. */
const swapQuotes: Mutation = (root) =>
  root.findAll({ rule: { kind: 'string' } }).flatMap((node) => {
    const [, prefix = '', quote = '', body] = /^([a-zA-Z]*)(["'])([^"'\\\n{}]*)\2$/.exec(node.text()) ?? [];
    if (body === undefined || upwardsHas(node, /^(jsx|interpolation)/)) return [];
    const other = quote === '"' ? "'" : '"';
    return [over(node, prefix + other + body + other)];
  });

/** Line breaks and trailing commas in argument lists. */
const reflowArguments: Mutation = (root, language, random) => {
  const kind = isJavaScript(language) ? 'arguments' : 'argument_list';
  return root.findAll({ rule: { kind } }).flatMap((list) => {
    const last = list.namedChildren().at(-1);
    if (!last || last.is('comment') || last.is('for_in_clause') || random() < 0.4) return [];
    if (upwardsHas(list, /^(template_substitution|interpolation|class_definition|decorator)$/)) return [];
    const { start, end } = list.range();
    const closed = last.next()?.text() === ',';
    const edits: Edit[] = [{ start: start.index + 1, end: start.index + 1, text: random() < 0.5 ? '\n        ' : ' ' }];
    if (!closed) edits.push({ start: end.index - 1, end: end.index - 1, text: ',' });
    return edits;
  });
};

/** Another order of named arguments and of members of objects. */
const reorderNamed: Mutation = (root, language, random) => {
  const kind = isJavaScript(language) ? 'object' : 'argument_list';
  return root.findAll({ rule: { kind } }).flatMap((list) => {
    const named = list.namedChildren().filter((child) => child.is('pair') || child.is('keyword_argument'));
    const isPlain = isJavaScript(language)
      ? named.length === list.namedChildren().length
      : list.namedChildren().at(-named.length)?.id() === named[0]?.id();
    const nested = named.some((one) => one.find({ rule: { kind } }) !== null);
    if (named.length < 2 || !isPlain || nested || random() < 0.3) return [];
    const rotated = [...named.slice(1), ...named.slice(0, 1)];
    return named.map((one, i) => over(one, rotated[i]?.text() ?? one.text()));
  });
};

/** Comments and empty lines before statements at the top level. */
const pushDown: Mutation = (root, language, random) =>
  root.namedChildren().flatMap((statement, i) => {
    if (random() < 0.5 || i === 0 || statement.prev()?.range().end.line === statement.range().start.line) return [];
    const { start } = statement.range();
    const note = `${isJavaScript(language) ? '//' : '#'} ${word(random)}\n`;
    return [{ start: start.index, end: start.index, text: note + '\n'.repeat(Math.floor(random() * 3)) }];
  });

const MUTATIONS: readonly Mutation[] = [
  renameLocals,
  aliasImports,
  swapQuotes,
  reorderNamed,
  reflowArguments,
  pushDown,
];

/** Lower-case keywords, more continuation lines, comments: what a Dockerfile may vary. */
function mutateDockerfile(file: MarkedFile, random: Random): MarkedFile {
  const edits: Edit[] = [];
  for (const match of file.text.matchAll(/^(RUN|COPY|CMD|USER|WORKDIR|FROM)\b/gm)) {
    if (random() < 0.3)
      edits.push({ start: match.index, end: match.index + match[0].length, text: match[0].toLowerCase() });
  }
  for (const match of file.text.matchAll(/ install -y /g)) {
    if (random() < 0.6)
      edits.push({ start: match.index + match[0].length - 1, end: match.index + match[0].length, text: ' \\\n      ' });
  }
  for (const match of file.text.matchAll(/^(?=RUN|COPY)/gm)) {
    if (random() < 0.5) edits.push({ start: match.index, end: match.index, text: `# ${word(random)}\n` });
  }
  // An insertion and a replacement at one place: the insertion goes first.
  return edited(file, edits);
}

/** Another folder and, but for names that mean something to a tool, another name. */
function movedPath(path: string, random: Random): string {
  const slash = path.lastIndexOf('/');
  const [folder, name] = [path.slice(0, slash + 1), path.slice(slash + 1)];
  const isPlain = /^[a-z][\w-]*(\.[\w-]+)*\.(ts|js|py)$/.test(name);
  return `${word(random)}/${folder}${isPlain ? `${word(random)}${name.slice(name.lastIndexOf('.'))}` : name}`;
}

/**
 * The same program in another form: other local names, imports under other names, moved files and lines, other quotes,
 * order, line breaks, and Windows line ends at times. The same seed gives the same form.
 */
export function mutateSample(files: readonly MarkedFile[], seed: number): MarkedFile[] {
  const random = randomOf(seed);
  return files.map((original) => {
    let file: MarkedFile = { ...original, path: movedPath(original.path, random) };
    const language = languageOf(file.path);
    if (language === 'dockerfile') file = mutateDockerfile(file, random);
    else if (language) {
      for (const mutation of MUTATIONS) {
        file = edited(file, mutation(parseSyntax(language, file.text), language, random));
      }
    }
    if (language && random() < 0.3) {
      file = edited(
        file,
        [...file.text.matchAll(/(?<!\r)\n/g)].map(({ index }) => ({ start: index, end: index, text: '\r' })),
      );
    }
    return file;
  });
}
