import type { TreeLanguage } from '../parse/language.js';
import { enclosingScope, parseSyntax, type Node } from '../parse/syntax.js';
import { javaScriptRoutes } from './javascript-routes.js';
import { argumentsOf, environmentName, JavaScriptValues, lineOfNode, stringValue } from './javascript-values.js';
import { readPlainJavaScript } from './plain-javascript.js';
import {
  isTestPath,
  serviceNamedBy,
  type EnvironmentFact,
  type ImportFact,
  type PortFact,
  type SourceFacts,
} from './source-facts.js';

const VARIABLE = /^[A-Z][A-Z0-9_]*$/;

/** Reads a JavaScript or TypeScript file. Bad syntax gives fewer facts, never an error. */
export function readJavaScript(path: string, language: TreeLanguage, text: string): SourceFacts {
  const plain = readPlainJavaScript(path, text);
  if (plain) return plain;
  const root = parseSyntax(language, text);
  const isServer = /\b(listen|serve|Router|express|[Ff]astify|Hono|Koa)\b/.test(text);
  const values = new JavaScriptValues(root, isServer);
  const environment = text.includes('env') ? readEnvironment(root) : { facts: [], readers: [], calls: [] };
  return {
    path,
    test: isTestPath(path),
    imports: readImports(root, text),
    ports: /\b(listen|serve)\b/.test(text) ? readPorts(root, values) : [],
    constants: /port/i.test(text) ? values.constants(root) : new Map(),
    environment: environment.facts,
    environmentReaders: environment.readers,
    environmentCalls: environment.calls.concat(readReaderCalls(root, text)),
    ...javaScriptRoutes(root, text, values),
    prefixes: new Map(),
    namedServices: readNamedServices(root, text),
    runsAsMain: text.startsWith('#!') || text.includes('require.main'),
  };
}

function readImports(root: Node, text: string): ImportFact[] {
  const imports: ImportFact[] = [];
  for (const statement of root.namedChildren()) {
    if (!statement.is('import_statement') && !statement.is('export_statement')) continue;
    const module = stringValue(statement.field('source'));
    if (module === undefined || /^(import|export)\s+type\b/.test(statement.text())) continue;
    const specifiers = statement.findAll({ rule: { kind: 'import_specifier' } });
    const typesOnly = specifiers.length > 0 && specifiers.every((one) => /^type\s/.test(one.text()));
    const hasDefault = statement.find({ rule: { kind: 'identifier', inside: { kind: 'import_clause' } } }) !== null;
    if (typesOnly && !hasDefault) continue;
    const names = specifiers.map((one) => one.field('name')?.text() ?? '');
    imports.push({ module, names, line: lineOfNode(statement) });
  }
  if (/\b(require|import)\s*\(/.test(text)) {
    for (const call of root.findAll({
      rule: { kind: 'call_expression', has: { field: 'function', regex: '^(require|import)$' } },
    })) {
      const module = stringValue(argumentsOf(call)[0]);
      if (module !== undefined) imports.push({ module, names: [], line: lineOfNode(call) });
    }
  }
  return imports;
}

function readPorts(root: Node, values: JavaScriptValues): PortFact[] {
  const ports: PortFact[] = [];
  for (const call of root.findAll({
    rule: { kind: 'call_expression', has: { field: 'function', regex: '(^|\\.)(listen|serve)$' } },
  })) {
    const args = argumentsOf(call);
    const served = /serve$/.test(call.field('function')?.text() ?? '');
    const first = served ? args.find((node) => node.is('object')) : args[0];
    if (!first) continue;
    const value = values.port(first);
    const reference = value === undefined ? values.reference(first) : undefined;
    const line = lineOfNode(call);
    if (value !== undefined) ports.push({ value, line, atStart: true });
    else if (reference) ports.push({ reference, line, atStart: true });
  }
  return ports;
}

/** The literal that stands in when a variable is not set: `process.env.X ?? 'y'`, through one conversion. */
function fallbackOf(node: Node): { fallback?: string; required: boolean } {
  let at = node;
  for (let up = node.parent(); up; up = up.parent()) {
    if (up.is('binary_expression') && up.field('left')?.id() === at.id()) {
      const operator = up
        .children()
        .find((child) => !child.isNamed())
        ?.text();
      if (operator !== '??' && operator !== '||') return { required: false };
      const right = up.field('right');
      const literal = stringValue(right) ?? (right?.is('number') ? right.text() : undefined);
      return literal === undefined ? { required: false } : { fallback: literal, required: false };
    }
    if (!up.is('parenthesized_expression') && !up.is('non_null_expression')) break;
    at = up;
  }
  // What is compared, tested or passed on may be absent; `!` and a bare read can't tell, so only `!` says it must be there.
  return { required: at.is('non_null_expression') };
}

interface Environment {
  readonly facts: EnvironmentFact[];
  readonly readers: string[];
  readonly calls: { reader: string; fact: EnvironmentFact }[];
}

function readEnvironment(root: Node): Environment {
  const facts: EnvironmentFact[] = [];
  const readers: string[] = [];
  for (const node of root.findAll({
    rule: {
      any: [{ kind: 'member_expression' }, { kind: 'subscript_expression' }],
      has: { field: 'object', regex: '^(process|import\\.meta)\\.env$' },
    },
  })) {
    const name = environmentName(node);
    if (name !== undefined && VARIABLE.test(name)) facts.push({ name, ...fallbackOf(node), line: lineOfNode(node) });
    else if (node.is('subscript_expression') && node.field('index')?.is('identifier')) {
      const reader = nameOfFunction(enclosingScope(node));
      if (reader !== undefined) readers.push(reader);
    }
  }
  for (const declarator of root.findAll({
    rule: { kind: 'variable_declarator', has: { field: 'value', regex: '^process\\.env$' } },
  })) {
    for (const part of declarator.field('name')?.namedChildren() ?? []) {
      const inner = part.is('object_assignment_pattern') ? part.field('left') : part;
      const name = (inner?.is('pair_pattern') ? inner.field('key') : inner)?.text() ?? '';
      if (!VARIABLE.test(name)) continue;
      const right = part.is('object_assignment_pattern') ? part.field('right') : undefined;
      const fallback = stringValue(right) ?? right?.text();
      facts.push({ name, ...(fallback === undefined ? {} : { fallback }), required: false, line: lineOfNode(part) });
    }
  }
  return { facts, readers, calls: [] };
}

function nameOfFunction(scope: Node): string | undefined {
  const own = scope.field('name')?.text();
  if (own !== undefined) return own;
  const declarator = scope.parent();
  return declarator?.is('variable_declarator') ? declarator.field('name')?.text() : undefined;
}

function readReaderCalls(root: Node, text: string): { reader: string; fact: EnvironmentFact }[] {
  if (!/\w\(\s*['"][A-Z][A-Z0-9_]*['"]/.test(text)) return [];
  const calls: { reader: string; fact: EnvironmentFact }[] = [];
  for (const call of root.findAll({
    rule: { kind: 'call_expression', has: { field: 'function', kind: 'identifier' } },
  })) {
    const args = argumentsOf(call);
    const name = stringValue(args[0]);
    if (name === undefined || !VARIABLE.test(name)) continue;
    const fallback = stringValue(args[1]) ?? (args[1]?.is('number') ? args[1].text() : undefined);
    calls.push({
      reader: call.field('function')?.text() ?? '',
      fact: {
        name,
        ...(fallback === undefined ? {} : { fallback }),
        required: args.length === 1,
        line: lineOfNode(call),
      },
    });
  }
  return calls;
}

function readNamedServices(root: Node, text: string): { service: string; line: number }[] {
  if (!/postgres|mysql|maria|mongo|redis|amqp|['"`]pg['"`]/i.test(text)) return [];
  return root.findAll({ rule: { any: [{ kind: 'string' }, { kind: 'template_string' }] } }).flatMap((node) => {
    const parent = node.parent();
    if (!parent || parent.is('import_statement') || parent.is('export_statement')) return [];
    const literal = node.text().slice(1, -1);
    const service = serviceNamedBy(literal);
    // A bare word counts only as the value of a setting (`dialect: 'postgres'`).
    if (service === undefined || (!literal.includes('://') && !parent.is('pair'))) return [];
    return [{ service, line: lineOfNode(node) }];
  });
}
