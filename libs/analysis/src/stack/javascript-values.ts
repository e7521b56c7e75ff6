import type { Node } from '../parse/syntax.js';
import { asPort, type PortReference } from './source-facts.js';

export function stringValue(node: Node | null | undefined): string | undefined {
  if (!node) return undefined;
  if (node.is('string')) return node.text().slice(1, -1);
  if (node.is('template_string') && !node.find({ rule: { kind: 'template_substitution' } })) {
    return node.text().slice(1, -1);
  }
  return undefined;
}

export function keyOf(pair: Node): string | undefined {
  const key = pair.field('key');
  if (!key) return undefined;
  return key.is('string') ? stringValue(key) : key.text();
}

export function memberOf(object: Node, name: string): Node | undefined {
  for (const pair of object.namedChildren()) {
    if (pair.is('pair') && keyOf(pair) === name) return pair.field('value') ?? undefined;
    if (pair.is('shorthand_property_identifier') && pair.text() === name) return pair;
  }
  return undefined;
}

export function argumentsOf(call: Node): Node[] {
  return (call.field('arguments')?.namedChildren() ?? []).filter((node) => !node.is('comment'));
}

export function lineOfNode(node: Node): number {
  return node.range().start.line + 1;
}

/** `NAME` of `process.env.NAME`, `process.env['NAME']` and `import.meta.env.NAME`. */
export function environmentName(node: Node): string | undefined {
  const object = node.field('object')?.text();
  if (object !== 'process.env' && object !== 'import.meta.env') return undefined;
  if (node.is('member_expression')) return node.field('property')?.text();
  return node.is('subscript_expression') ? stringValue(node.field('index')) : undefined;
}

const MAX_DEPTH = 6;

function declaratorsAtTop(root: Node): Node[] {
  return root.namedChildren().flatMap((statement) => {
    const declaration = statement.is('export_statement') ? statement.field('declaration') : statement;
    if (!declaration?.is('lexical_declaration') && !declaration?.is('variable_declaration')) return [];
    return declaration.namedChildren().filter((node) => node.is('variable_declarator'));
  });
}

/** What the names at the top of a JavaScript file stand for, as far as ports need it. */
export class JavaScriptValues {
  readonly #declared = new Map<string, Node>();
  readonly #imported = new Map<string, PortReference>();

  /** `deep`: names inside functions count too; else those at the top of the file, which is far quicker. */
  constructor(root: Node, deep: boolean) {
    for (const declarator of deep ? root.findAll({ rule: { kind: 'variable_declarator' } }) : declaratorsAtTop(root)) {
      const name = declarator.field('name');
      const value = declarator.field('value');
      if (name?.is('identifier') && value && !this.#declared.has(name.text())) this.#declared.set(name.text(), value);
      if (name?.is('object_pattern')) this.#readPattern(name);
    }
    for (const statement of root.namedChildren()) if (statement.is('import_statement')) this.#readImport(statement);
  }

  declared(): ReadonlyMap<string, Node> {
    return this.#declared;
  }

  /** Where an imported name comes from. */
  imported(name: string): PortReference | undefined {
    return this.#imported.get(name);
  }

  /** The port that an expression comes to, following defaults of environment variables. */
  port(node: Node | undefined | null, depth = 0): string | undefined {
    if (!node || depth > MAX_DEPTH) return undefined;
    switch (node.kind()) {
      case 'number':
        return asPort(node.text().replaceAll('_', ''));
      case 'string':
      case 'template_string':
        return asPort(stringValue(node) ?? '');
      case 'binary_expression':
        return this.port(node.field('right'), depth + 1) ?? this.port(node.field('left'), depth + 1);
      case 'ternary_expression':
        return this.port(node.field('alternative'), depth + 1) ?? this.port(node.field('consequence'), depth + 1);
      case 'unary_expression':
        return this.port(node.field('argument'), depth + 1);
      case 'identifier':
      case 'shorthand_property_identifier':
        return this.port(this.#declared.get(node.text()), depth + 1);
      case 'object':
        return this.port(memberOf(node, 'port'), depth + 1);
      case 'member_expression': {
        const object = this.#declared.get(node.field('object')?.text() ?? '');
        const literal = object && this.#object(object);
        return literal ? this.port(memberOf(literal, node.field('property')?.text() ?? ''), depth + 1) : undefined;
      }
      case 'call_expression':
        return this.#callPort(node, depth);
      case 'parenthesized_expression':
      case 'as_expression':
      case 'satisfies_expression':
      case 'non_null_expression':
      case 'await_expression':
        return this.port(node.namedChildren()[0], depth + 1);
      default:
        return undefined;
    }
  }

  /** The member of another module that an expression is, through one local name at most. */
  reference(node: Node | undefined | null, depth = 0): PortReference | undefined {
    if (!node || depth > 3) return undefined;
    if (node.is('identifier')) {
      return this.#imported.get(node.text()) ?? this.reference(this.#declared.get(node.text()), depth + 1);
    }
    if (node.is('object')) return this.reference(memberOf(node, 'port'), depth + 1);
    if (node.is('call_expression')) return this.reference(argumentsOf(node)[0], depth + 1);
    if (!node.is('member_expression')) return undefined;
    const base = this.#imported.get(node.field('object')?.text() ?? '');
    return base && { module: base.module, name: `${base.name}.${node.field('property')?.text() ?? ''}` };
  }

  /** Numbers under the names that other files may use for them. */
  constants(root: Node): Map<string, { value: string; line: number }> {
    const found = new Map<string, { value: string; line: number }>();
    const add = (name: string, value: Node | undefined | null): void => {
      const port = this.port(value);
      if (port !== undefined && value) found.set(name, { value: port, line: lineOfNode(value) });
    };
    const addObject = (name: string, object: Node): void => {
      for (const pair of object.namedChildren()) {
        const key = pair.is('pair') ? keyOf(pair) : pair.text();
        if (key !== undefined && /port$/i.test(key))
          add(`${name}.${key}`, pair.is('pair') ? pair.field('value') : pair);
      }
    };
    for (const [name, value] of this.#declared) {
      const object = this.#object(value);
      if (object) addObject(name, object);
      else if (/port$/i.test(name)) add(name, value);
    }
    for (const statement of root.namedChildren()) {
      if (!statement.is('export_statement')) continue;
      const value = statement.field('value');
      const object =
        value && this.#object(value.is('identifier') ? (this.#declared.get(value.text()) ?? value) : value);
      if (object) addObject('default', object);
    }
    return found;
  }

  #object(node: Node): Node | undefined {
    if (node.is('object')) return node;
    if (node.is('call_expression')) {
      const [first] = argumentsOf(node);
      return /freeze$/.test(node.field('function')?.text() ?? '') && first?.is('object') ? first : undefined;
    }
    if (node.is('as_expression') || node.is('satisfies_expression') || node.is('parenthesized_expression')) {
      const inner = node.namedChildren()[0];
      return inner && this.#object(inner);
    }
    return undefined;
  }

  /** `Number(x)`, `parseInt(x, 10)`, `config.get('PORT', 3000)`, `z.coerce.number().default(3000)`. */
  #callPort(call: Node, depth: number): string | undefined {
    const callee = call.field('function')?.text() ?? '';
    const args = argumentsOf(call);
    if (/(^|\.)(Number|parseInt|parseFloat|String|normalizePort)$/.test(callee)) return this.port(args[0], depth + 1);
    if (/\.(get|getNumber)$/.test(callee)) return this.port(args[1], depth + 1);
    return /\.default$/.test(callee) ? this.port(args[0], depth + 1) : undefined;
  }

  /** `const { PORT = 3000 } = process.env`. */
  #readPattern(pattern: Node): void {
    for (const part of pattern.findAll({ rule: { kind: 'object_assignment_pattern' } })) {
      const name = part.field('left')?.text();
      const value = part.field('right');
      if (name && value) this.#declared.set(name, value);
    }
  }

  #readImport(statement: Node): void {
    const module = stringValue(statement.field('source'));
    const clause = statement.children().find((child) => child.is('import_clause'));
    if (module === undefined || !clause) return;
    for (const part of clause.namedChildren()) {
      if (part.is('identifier')) this.#imported.set(part.text(), { module, name: 'default' });
      if (part.is('namespace_import')) {
        const name = part.namedChildren()[0]?.text();
        if (name) this.#imported.set(name, { module, name: '*' });
      }
      if (!part.is('named_imports')) continue;
      for (const specifier of part.namedChildren()) {
        const name = specifier.field('name')?.text();
        if (name) this.#imported.set(specifier.field('alias')?.text() ?? name, { module, name });
      }
    }
  }
}
