import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { kind, Lang, parse, registerDynamicLanguage, type SgNode } from '@ast-grep/napi';
import type { TreeLanguage } from './language.js';

/** What trees are made for: programs, and the settings of Terraform. */
type Grammar = TreeLanguage | 'hcl';

export type Node = SgNode;

const NAPI_LANGUAGE: Readonly<Record<Grammar, string>> = {
  javascript: Lang.JavaScript,
  typescript: Lang.TypeScript,
  tsx: Lang.Tsx,
  python: 'python',
  go: 'go',
  java: 'java',
  hcl: 'hcl',
};

let registered = false;

/** The native registry takes a language once per process, and says no the second time. */
function registerLanguages(): void {
  if (registered) return;
  registered = true;
  // CommonJS with a native library beside it: `require` resolves it in sources and in `dist` alike.
  const load = createRequire(import.meta.url);
  registerDynamicLanguage({
    python: load('@ast-grep/lang-python') as typeof import('@ast-grep/lang-python'),
    go: load('@ast-grep/lang-go') as typeof import('@ast-grep/lang-go'),
    java: load('@ast-grep/lang-java') as typeof import('@ast-grep/lang-java'),
    hcl: {
      // Its addon for node is a library of the grammar as any other, too.
      libraryPath: join(
        dirname(load.resolve('@tree-sitter-grammars/tree-sitter-hcl/package.json')),
        'prebuilds',
        `${process.platform}-${process.arch}`,
        '@tree-sitter-grammars+tree-sitter-hcl.node',
      ),
      extensions: ['tf'],
      languageSymbol: 'tree_sitter_hcl',
    },
  });
}

/** The syntax tree of `text`. Never throws on bad syntax: the tree then has `ERROR` nodes. Offsets are UTF-16 code units. */
export function parseSyntax(language: Grammar, text: string): Node {
  registerLanguages();
  return parse(NAPI_LANGUAGE[language], text).root();
}

const knownKinds = new Map<string, boolean>();

/** Whether a grammar has this kind of node. Searching for one that it does not have throws. */
export function hasKind(language: TreeLanguage, name: string): boolean {
  registerLanguages();
  const key = `${language} ${name}`;
  const known = knownKinds.get(key) ?? kind(NAPI_LANGUAGE[language], name) !== 0;
  knownKinds.set(key, known);
  return known;
}

/** Whether the parser had to skip text. */
export function hasErrors(root: Node): boolean {
  return root.find({ rule: { kind: 'ERROR' } }) !== null;
}

/** Whether the parser had to guess: it skipped text, or made up a token that is not there. Looks at every token. */
export function hasSyntaxErrors(root: Node): boolean {
  return hasErrors(root) || hasMissingToken(root);
}

function hasMissingToken(root: Node): boolean {
  const stack = [root];
  for (let node = stack.pop(); node; node = stack.pop()) {
    const children = node.children();
    if (children.length > 0) stack.push(...children);
    else if (!node.isNamed() || node.is('identifier')) {
      const { start, end } = node.range();
      if (start.index === end.index && node !== root) return true;
    }
  }
  return false;
}

/** `node` and what is around it, inside out. */
export function* upwards(node: Node): Generator<Node> {
  for (let at: Node | null = node; at; at = at.parent()) yield at;
}

const FUNCTION_KINDS = new Set([
  'function_declaration',
  'generator_function_declaration',
  'function_expression',
  'generator_function',
  'arrow_function',
  'method_definition',
  'function_definition',
  'lambda',
]);

/** The kinds of functions that a grammar has. */
export function functionKinds(language: TreeLanguage): string[] {
  return [...FUNCTION_KINDS].filter((name) => hasKind(language, name));
}

export function isFunction(node: Node): boolean {
  return FUNCTION_KINDS.has(String(node.kind()));
}

/** The innermost function that `node` stands in, or the whole file. */
export function enclosingScope(node: Node): Node {
  let last = node;
  for (const at of upwards(node)) {
    if (at !== node && isFunction(at)) return at;
    last = at;
  }
  return last;
}
