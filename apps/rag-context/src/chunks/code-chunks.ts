import type { TreeLanguage } from '@devmesh/analysis/parse/language';
import { parseSyntax, type Node } from '@devmesh/analysis/parse/syntax';
import { MAX_LINES, type Chunk } from './chunk.js';

const DECLARATIONS = new Set([
  'function_declaration',
  'generator_function_declaration',
  'class_declaration',
  'abstract_class_declaration',
  'interface_declaration',
  'type_alias_declaration',
  'enum_declaration',
  'function_definition',
  'class_definition',
]);
const WRAPPERS = new Set([
  'export_statement',
  'decorated_definition',
  'lexical_declaration',
  'variable_declaration',
  'ambient_declaration',
]);
const METHODS = new Set(['method_definition', 'function_definition', 'decorated_definition']);
/** Values that make a variable a symbol worth a chunk. */
const LARGE_VALUES = new Set(['arrow_function', 'function_expression', 'class', 'object', 'call_expression']);

/** The symbols of a file with the lines that they take up. Long classes are given method by method. */
export function codeSymbols(language: TreeLanguage, text: string): Chunk[] {
  return parseSyntax(language, text)
    .namedChildren()
    .flatMap((node) => symbolsOf(node, node));
}

/** `outer` is the statement that brings decorators and `export` along. */
function symbolsOf(node: Node, outer: Node): Chunk[] {
  const kind = String(node.kind());
  if (DECLARATIONS.has(kind)) return declared(node, outer, node.field('name')?.text());
  if (!WRAPPERS.has(kind)) return [];
  for (const inner of node.namedChildren()) {
    if (inner.is('variable_declarator')) {
      const value = inner.field('value');
      if (value && LARGE_VALUES.has(String(value.kind())) && lines(outer) > 3) {
        return [chunkOf(outer, inner.field('name')?.text())];
      }
      continue;
    }
    const found = symbolsOf(inner, outer);
    if (found.length > 0) return found;
  }
  return [];
}

function lines(node: Node): number {
  const { start, end } = node.range();
  return end.line - start.line + 1;
}

function chunkOf(node: Node, symbol: string | undefined): Chunk {
  const { start, end } = node.range();
  // A node that ends at the start of a line does not own that line.
  const endLine = end.column === 0 && end.line > start.line ? end.line : end.line + 1;
  return { startLine: start.line + 1, endLine, ...(symbol === undefined ? {} : { symbol: symbol.slice(0, 200) }) };
}

function declared(node: Node, outer: Node, name: string | undefined): Chunk[] {
  const whole = chunkOf(outer, name);
  const body = node.field('body');
  if (lines(outer) <= MAX_LINES || !body || !/class/.test(String(node.kind()))) return [whole];
  const methods = body
    .namedChildren()
    .filter((member) => METHODS.has(String(member.kind())))
    .map((member) => {
      const inner = member.is('decorated_definition') ? (member.field('definition') ?? member) : member;
      return chunkOf(member, `${name ?? ''}.${inner.field('name')?.text() ?? ''}`);
    });
  const [first] = methods;
  if (!first) return [whole];
  // The head of the class, up to its first method, carries its name.
  return first.startLine > whole.startLine ? [{ ...whole, endLine: first.startLine - 1 }, ...methods] : methods;
}
