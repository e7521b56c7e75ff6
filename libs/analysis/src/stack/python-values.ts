import type { Node } from '../parse/syntax.js';
import { asPort, type PortReference } from './source-facts.js';

/** Text of a plain Python string; undefined for f-strings and other expressions. */
export function pythonString(node: Node | null | undefined): string | undefined {
  if (!node?.is('string') || node.find({ rule: { kind: 'interpolation' } })) return undefined;
  return /^[rRuUbB]*("""|'''|["'])([\s\S]*)\1$/.exec(node.text())?.[2];
}

export interface PythonArguments {
  readonly positional: readonly Node[];
  readonly named: ReadonlyMap<string, Node>;
}

export function pythonArguments(call: Node): PythonArguments {
  const positional: Node[] = [];
  const named = new Map<string, Node>();
  for (const argument of call.field('arguments')?.namedChildren() ?? []) {
    if (argument.is('comment')) continue;
    if (!argument.is('keyword_argument')) positional.push(argument);
    else {
      const value = argument.field('value');
      if (value) named.set(argument.field('name')?.text() ?? '', value);
    }
  }
  return { positional, named };
}

/** The string that a call gets by position or name. */
export function stringArgument(args: PythonArguments, position: number, name: string): string | undefined {
  return pythonString(args.positional[position] ?? args.named.get(name));
}

/** `X` of `os.environ["X"]`, `os.environ.get("X", …)`, `os.getenv("X", …)`, with what stands in for it. */
export function pythonEnvironment(
  node: Node,
): { name: string; fallback: Node | undefined; required: boolean } | undefined {
  if (node.is('subscript')) {
    if (!/^(os\.)?environ$/.test(node.field('value')?.text() ?? '')) return undefined;
    const name = pythonString(node.field('subscript'));
    return name === undefined ? undefined : { name, fallback: undefined, required: true };
  }
  if (!node.is('call')) return undefined;
  const callee = node.field('function')?.text() ?? '';
  if (!/^(os\.)?(environ\.get|getenv)$/.test(callee)) return undefined;
  const args = pythonArguments(node);
  const name = pythonString(args.positional[0]);
  if (name === undefined) return undefined;
  return { name, fallback: args.positional[1] ?? args.named.get('default'), required: false };
}

const MAX_DEPTH = 6;

/** What the names at the top of a Python file stand for, as far as ports need it. */
export class PythonValues {
  readonly #assigned = new Map<string, Node>();
  readonly #imported = new Map<string, PortReference>();

  /** `deep`: names inside functions count too; else those at the top of the file, which is far quicker. */
  constructor(root: Node, deep: boolean) {
    const assignments = deep
      ? root.findAll({ rule: { kind: 'assignment' } })
      : root
          .namedChildren()
          .filter((node) => node.is('expression_statement'))
          .flatMap((node) => node.namedChildren().filter((inner) => inner.is('assignment')));
    for (const assignment of assignments) {
      const left = assignment.field('left');
      const right = assignment.field('right');
      if (left?.is('identifier') && right && !this.#assigned.has(left.text())) this.#assigned.set(left.text(), right);
    }
    for (const statement of root.namedChildren()) {
      if (statement.is('import_statement')) this.#readImport(statement);
      if (statement.is('import_from_statement')) this.#readFrom(statement);
    }
  }

  #readImport(statement: Node): void {
    for (const part of statement.namedChildren()) {
      const name = part.is('aliased_import') ? part.field('name')?.text() : part.text();
      const local = part.is('aliased_import') ? part.field('alias')?.text() : name;
      if (name && local) this.#imported.set(local, { module: name, name: '*' });
    }
  }

  #readFrom(statement: Node): void {
    const module = statement.field('module_name');
    for (const part of statement.namedChildren()) {
      if (!module || part.id() === module.id()) continue;
      const name = part.is('aliased_import') ? part.field('name')?.text() : part.text();
      const local = part.is('aliased_import') ? part.field('alias')?.text() : name;
      if (name && local) this.#imported.set(local, { module: module.text(), name });
    }
  }

  assigned(): ReadonlyMap<string, Node> {
    return this.#assigned;
  }

  imported(name: string): PortReference | undefined {
    return this.#imported.get(name);
  }

  /** The port that an expression comes to, following defaults of environment variables. */
  port(node: Node | undefined | null, depth = 0): string | undefined {
    if (!node || depth > MAX_DEPTH) return undefined;
    const environment = pythonEnvironment(node);
    if (environment) return this.port(environment.fallback, depth + 1);
    switch (node.kind()) {
      case 'integer':
        return asPort(node.text().replaceAll('_', ''));
      case 'string':
        return asPort(pythonString(node) ?? '');
      case 'identifier':
        return this.port(this.#assigned.get(node.text()), depth + 1);
      case 'boolean_operator':
        return this.port(node.field('right'), depth + 1) ?? this.port(node.field('left'), depth + 1);
      case 'conditional_expression': {
        const [first, , last] = node.namedChildren();
        return this.port(last, depth + 1) ?? this.port(first, depth + 1);
      }
      case 'parenthesized_expression':
        return this.port(node.namedChildren()[0], depth + 1);
      case 'call':
        return /^(int|str)$/.test(node.field('function')?.text() ?? '')
          ? this.port(pythonArguments(node).positional[0], depth + 1)
          : undefined;
      default:
        return undefined;
    }
  }

  /** `settings.PORT` or an imported `PORT`. */
  reference(node: Node | undefined): PortReference | undefined {
    if (!node) return undefined;
    if (node.is('identifier')) return this.#imported.get(node.text());
    if (!node.is('attribute')) return undefined;
    const base = this.#imported.get(node.field('object')?.text() ?? '');
    const member = node.field('attribute')?.text() ?? '';
    if (!base) return undefined;
    const inside = base.module.endsWith('.') ? `${base.module}${base.name}` : `${base.module}.${base.name}`;
    return { module: base.name === '*' ? base.module : inside, name: member };
  }

  constants(): Map<string, { value: string; line: number }> {
    const found = new Map<string, { value: string; line: number }>();
    for (const [name, value] of this.#assigned) {
      const port = /port$/i.test(name) ? this.port(value) : undefined;
      if (port !== undefined) found.set(name, { value: port, line: value.range().start.line + 1 });
    }
    return found;
  }
}
