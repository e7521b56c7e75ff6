import { isFunction, parseSyntax, upwards, type Node } from '../parse/syntax.js';
import { pythonRoutes } from './python-routes.js';
import { pythonArguments, pythonEnvironment, pythonString, PythonValues } from './python-values.js';
import {
  isTestPath,
  serviceNamedBy,
  type EnvironmentFact,
  type ImportFact,
  type PortFact,
  type SourceFacts,
} from './source-facts.js';

const MAIN_GUARD = /^__name__\s*==\s*["']__main__["']$/;
/** Modules whose `run` opens no port. */
const OTHER_RUNNERS = /^(subprocess|asyncio|anyio|trio|nox|invoke|runpy)$/;

/** Reads a Python file. Bad syntax gives fewer facts, never an error. */
export function readPython(path: string, text: string): SourceFacts {
  const root = parseSyntax('python', text);
  const opensPort = /\.(run|run_app)\s*\(|\bserve\s*\(/.test(text);
  const values = new PythonValues(root, opensPort);
  const guards = text.includes('__main__') ? mainGuards(root) : [];
  return {
    path,
    test: isTestPath(path),
    imports: text.includes('import') ? readImports(root) : [],
    ports: opensPort ? readPorts(root, values, guards) : [],
    constants: values.constants(),
    environment: /environ|getenv|BaseSettings/.test(text) ? readEnvironment(root, text) : [],
    environmentReaders: [],
    environmentCalls: [],
    ...pythonRoutes(root, text, values),
    namedServices: readNamedServices(root, text),
    runsAsMain: guards.length > 0 || path.endsWith('__main__.py'),
  };
}

function mainGuards(root: Node): Node[] {
  return root
    .findAll({ rule: { kind: 'if_statement' } })
    .filter((node) => MAIN_GUARD.test(node.field('condition')?.text() ?? ''));
}

function readImports(root: Node): ImportFact[] {
  const imports: ImportFact[] = [];
  for (const statement of root.findAll({ rule: { kind: 'import_statement' } })) {
    for (const part of statement.namedChildren()) {
      const module = (part.is('aliased_import') ? part.field('name') : part)?.text();
      if (module) imports.push({ module, names: [], line: statement.range().start.line + 1 });
    }
  }
  for (const statement of root.findAll({ rule: { kind: 'import_from_statement' } })) {
    const module = statement.field('module_name');
    if (!module || underTypeChecking(statement)) continue;
    const names = statement
      .namedChildren()
      .filter((part) => part.id() !== module.id())
      .map((part) => (part.is('aliased_import') ? part.field('name') : part)?.text() ?? '');
    imports.push({ module: module.text(), names, line: statement.range().start.line + 1 });
  }
  return imports;
}

function underTypeChecking(node: Node): boolean {
  return [...upwards(node)].some(
    (at) => at.is('if_statement') && /\bTYPE_CHECKING$/.test(at.field('condition')?.text() ?? ''),
  );
}

/** Whether a call is reached when the file is run: at the top, under the guard, or in a function called there. */
function reachedAtStart(call: Node, started: ReadonlySet<string>): boolean {
  const holder = [...upwards(call)].find((node) => node.id() !== call.id() && isFunction(node));
  return !holder || started.has(holder.field('name')?.text() ?? '');
}

function readPorts(root: Node, values: PythonValues, guards: readonly Node[]): PortFact[] {
  const started = new Set(
    guards.flatMap((guard) =>
      guard.findAll({ rule: { kind: 'call' } }).map((call) => call.field('function')?.text() ?? ''),
    ),
  );
  const ports: PortFact[] = [];
  for (const call of root.findAll({ rule: { kind: 'call' } })) {
    const callee = call.field('function');
    const method = callee?.is('attribute') ? callee.field('attribute')?.text() : callee?.text();
    if (!callee || (method !== 'run' && method !== 'serve' && method !== 'run_app')) continue;
    const receiver = callee.is('attribute') ? (callee.field('object')?.text() ?? '') : '';
    const args = pythonArguments(call);
    const named = args.named.get('port');
    const isApplication = receiver === 'uvicorn' || /app(lication)?$/i.test(receiver);
    if (OTHER_RUNNERS.test(receiver) || (named === undefined && !(method === 'run' && isApplication))) continue;
    const given = named ?? (receiver === 'uvicorn' ? undefined : args.positional[1]);
    const at = { line: call.range().start.line + 1, atStart: reachedAtStart(call, started) };
    const value = values.port(given);
    const reference = values.reference(given);
    if (value !== undefined) ports.push({ value, ...at });
    else if (reference) ports.push({ reference, ...at });
    else if (given === undefined) ports.push({ server: receiver === 'uvicorn' ? 'uvicorn' : 'flask', ...at });
  }
  return ports;
}

function readEnvironment(root: Node, text: string): EnvironmentFact[] {
  const facts: EnvironmentFact[] = [];
  for (const node of root.findAll({ rule: { any: [{ kind: 'subscript' }, { kind: 'call' }] } })) {
    const read = pythonEnvironment(node);
    if (!read || !/^[A-Z][A-Z0-9_]*$/.test(read.name)) continue;
    const parent = node.parent();
    // `os.environ["X"] = …` writes.
    if (parent?.is('assignment') && parent.field('left')?.id() === node.id()) continue;
    const given = read.fallback;
    const fallback =
      pythonString(given) ??
      (given && /^(integer|float|true|false)$/.test(String(given.kind())) ? given.text() : undefined);
    facts.push({
      name: read.name,
      ...(fallback === undefined ? {} : { fallback }),
      required: read.required,
      line: node.range().start.line + 1,
    });
  }
  if (text.includes('BaseSettings') && !text.includes('env_prefix')) facts.push(...readSettingsClasses(root));
  return facts;
}

/** Fields of pydantic settings are variables of the same name. */
function readSettingsClasses(root: Node): EnvironmentFact[] {
  return root.findAll({ rule: { kind: 'class_definition' } }).flatMap((definition) => {
    if (!/\bBaseSettings\b/.test(definition.field('superclasses')?.text() ?? '')) return [];
    return (definition.field('body')?.namedChildren() ?? []).flatMap((statement) => {
      const assignment = statement.is('expression_statement') ? statement.namedChildren()[0] : undefined;
      const name =
        assignment?.is('assignment') && assignment.field('type') ? assignment.field('left')?.text() : undefined;
      if (!assignment || !name || !/^[a-z][a-z0-9_]*$/.test(name)) return [];
      const right = assignment.field('right');
      const fallback = pythonString(right) ?? (right?.is('integer') ? right.text() : undefined);
      const line = assignment.range().start.line + 1;
      return [{ name: name.toUpperCase(), ...(fallback === undefined ? {} : { fallback }), required: !right, line }];
    });
  });
}

function readNamedServices(root: Node, text: string): { service: string; line: number }[] {
  if (!/postgres|mysql|maria|mongo|redis|amqp/i.test(text)) return [];
  return root.findAll({ rule: { kind: 'string' } }).flatMap((node) => {
    const literal = pythonString(node) ?? '';
    const service = serviceNamedBy(literal);
    // A bare word counts only as the value of a setting (`"ENGINE": "django.db.backends.postgresql"`).
    if (service === undefined || (!literal.includes('://') && !node.parent()?.is('pair'))) return [];
    return [{ service, line: node.range().start.line + 1 }];
  });
}
