import { isJavaScript, type TreeLanguage } from '../parse/language.js';
import { functionKinds, hasKind, isFunction, type Node } from '../parse/syntax.js';

/** A place where a name gets a value. `value` is undefined where that can't be seen: parameters, loops, destructuring. */
export interface Binding {
  readonly name: string;
  readonly scope: Node;
  readonly value: Node | undefined;
  readonly kind: 'variable' | 'parameter' | 'function' | 'augmented';
}

/** A function or the whole file, with its span, so that "stands in" is a comparison of numbers. */
interface Scope {
  readonly node: Node;
  readonly start: number;
  readonly end: number;
}

const JAVASCRIPT_KINDS = [
  'import_statement',
  'variable_declarator',
  'assignment_expression',
  'augmented_assignment_expression',
  'for_in_statement',
  'formal_parameters',
];
const PYTHON_KINDS = [
  'import_statement',
  'import_from_statement',
  'assignment',
  'augmented_assignment',
  'named_expression',
  'for_statement',
  'for_in_clause',
  'parameters',
  'lambda_parameters',
];

/** `name`, `name: Type`, `name?: Map<string, Type>`. */
const PLAIN_PARAMETER = /^[\w$]+\??(?:\s*:(?!\s*typeof\b)[\w$<>[\]|&,\s]+)?$/;

/** What names mean in one file: imports under their full names, and what is assigned to variables. */
export class Bindings {
  readonly #imports = new Map<string, string>();
  readonly #byName = new Map<string, { binding: Binding; scope: Scope }[]>();
  /** By start. */
  readonly #scopes: Scope[];
  /** All nodes that matter here, by kind, in the order of the text: each search goes through the whole tree, so there is one. */
  readonly #nodes: ReadonlyMap<string, readonly Node[]>;

  constructor(
    readonly language: TreeLanguage,
    readonly root: Node,
  ) {
    const functions = functionKinds(language);
    const kinds = new Set([...functions, ...(isJavaScript(language) ? JAVASCRIPT_KINDS : PYTHON_KINDS)]);
    const found = root.findAll({
      rule: { any: [...kinds].filter((kind) => hasKind(language, kind)).map((kind) => ({ kind })) },
    });
    this.#nodes = Map.groupBy(found, (node) => String(node.kind()));
    this.#scopes = [
      { node: root, start: -1, end: Number.POSITIVE_INFINITY },
      ...functions.flatMap((kind) => this.#all(kind)).map(scopeOver),
    ].sort((a, b) => a.start - b.start || b.end - a.end);
    if (isJavaScript(language)) this.#readJavaScript();
    else this.#readPython();
  }

  /** Nodes of one kind, in the order of the text. */
  #all(kind: string): readonly Node[] {
    return this.#nodes.get(kind) ?? [];
  }

  /** Nodes of several kinds, in the order of the text. */
  #allOf(...kinds: string[]): readonly Node[] {
    return kinds
      .flatMap((kind) => this.#all(kind))
      .map((node) => ({ node, start: node.range().start.index }))
      .sort((a, b) => a.start - b.start)
      .map(({ node }) => node);
  }

  /** Imported modules and members under their full names, e.g. `yaml`, `child_process.exec`. */
  imports(): ReadonlyMap<string, string> {
    return this.#imports;
  }

  /** Every place that gives `identifier` a value, as seen from where it stands: the innermost scope that has any. */
  of(identifier: Node): readonly Binding[] {
    const all = this.#byName.get(identifier.text());
    if (!all) return [];
    const offset = identifier.range().start.index;
    let innermost: Scope | undefined;
    for (const { scope } of all) {
      if (scope.start > offset || offset >= scope.end) continue;
      if (!innermost || scope.start > innermost.start || scope.end < innermost.end) innermost = scope;
    }
    return all.filter(({ scope }) => scope === innermost).map(({ binding }) => binding);
  }

  /** The one value that a name ever gets; undefined when there are several, or it can't be seen. */
  valueOf(identifier: Node): Node | undefined {
    const [only, ...more] = this.of(identifier);
    return only?.kind === 'variable' && more.length === 0 ? only.value : undefined;
  }

  /**
   * The full name of what an expression refers to: `yaml.load` for `y.load` after `import yaml as y`. What is unknown is
   * `?`, so that `?.query` is a method of something.
   */
  nameOf(node: Node, depth = 0): string {
    switch (node.kind()) {
      case 'identifier': {
        const name = node.text();
        const bound = this.of(node);
        if (bound.some((binding) => binding.kind === 'parameter' || binding.kind === 'function')) return `?${name}`;
        const imported = this.#imports.get(name);
        if (imported !== undefined) return imported;
        const value = depth < 4 ? this.valueOf(node) : undefined;
        return value ? this.#nameOfValue(value, name, depth + 1) : bound.length > 0 ? `?${name}` : name;
      }
      case 'member_expression':
      case 'attribute': {
        const object = node.field('object');
        const property = node.field(node.is('attribute') ? 'attribute' : 'property');
        return object && property ? `${this.nameOf(object, depth)}.${property.text()}` : '?';
      }
      case 'parenthesized_expression':
      case 'non_null_expression':
      case 'as_expression':
      case 'satisfies_expression':
      case 'await_expression':
      case 'await':
        return this.#nameOfFirst(node, depth);
      case 'this':
        return 'this';
      case 'call_expression':
      case 'call':
      case 'new_expression':
        return this.#nameOfCall(node, depth);
      default:
        return '?';
    }
  }

  #nameOfFirst(node: Node, depth: number): string {
    const inner = node.namedChildren()[0];
    return inner ? this.nameOf(inner, depth) : '?';
  }

  #nameOfValue(value: Node, name: string, depth: number): string {
    const known = this.nameOf(value, depth);
    return known.startsWith('?') ? `?${name}` : known;
  }

  /** `require('m')` is the module; `promisify(f)` is f; any other call is its callee's result. */
  #nameOfCall(node: Node, depth: number): string {
    const callee = node.field('function') ?? node.field('constructor');
    if (!callee) return '?';
    const first = node.field('arguments')?.namedChildren()[0];
    if (callee.text() === 'require' && first?.is('string')) return moduleName(unquoted(first));
    const name = this.nameOf(callee, depth + 1);
    if (name === 'util.promisify' && first && depth < 4) return this.nameOf(first, depth + 1);
    return name.startsWith('?') ? '?' : `${name}()`;
  }

  #add(name: string, at: Node, value: Node | undefined, kind: Binding['kind'], scope = this.#scopeAround(at)): void {
    const list = this.#byName.get(name) ?? [];
    list.push({ binding: { name, scope: scope.node, value, kind }, scope });
    this.#byName.set(name, list);
  }

  /** The innermost scope around a node; a function is not around itself. */
  #scopeAround(node: Node): Scope {
    const { start, end } = node.range();
    let low = 0;
    let high = this.#scopes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#scopes[middle]?.start ?? 0) <= start.index) low = middle;
      else high = middle - 1;
    }
    for (let at = low; at > 0; at -= 1) {
      const scope = this.#scopes[at];
      const isItself = scope?.start === start.index && scope.end === end.index;
      if (scope && scope.end >= end.index && !isItself) return scope;
    }
    return this.#scopes[0] ?? { node: this.root, start: -1, end: Number.POSITIVE_INFINITY };
  }

  #readJavaScript(): void {
    for (const statement of this.#all('import_statement')) {
      const source = statement.field('source');
      const clause = statement.children().find((child) => child.is('import_clause'));
      if (!source || !clause) continue;
      const module = moduleName(unquoted(source));
      for (const part of clause.namedChildren()) {
        if (part.is('identifier')) this.#imports.set(part.text(), module);
        const names = part.is('namespace_import') ? part.namedChildren() : [];
        for (const name of names) this.#imports.set(name.text(), module);
        if (!part.is('named_imports')) continue;
        for (const specifier of part.namedChildren()) {
          const name = specifier.field('name')?.text();
          if (!name) continue;
          const full = name === 'default' ? module : moduleMember(module, name);
          this.#imports.set(specifier.field('alias')?.text() ?? name, full);
        }
      }
    }
    for (const declarator of this.#all('variable_declarator')) {
      const name = declarator.field('name');
      const value = declarator.field('value') ?? undefined;
      if (!name) continue;
      if (name.is('identifier')) this.#add(name.text(), declarator, value, 'variable');
      else this.#destructured(name, declarator, value);
    }
    for (const assignment of this.#allOf('assignment_expression', 'augmented_assignment_expression')) {
      const left = assignment.field('left');
      if (!left?.is('identifier')) continue;
      const kind = assignment.is('assignment_expression') ? 'variable' : 'augmented';
      this.#add(left.text(), assignment, assignment.field('right') ?? undefined, kind, this.#declaringScope(left));
    }
    for (const loop of this.#all('for_in_statement')) {
      const left = loop.field('left');
      if (left?.is('identifier')) this.#add(left.text(), loop, undefined, 'variable');
    }
    this.#readFunctions(['formal_parameters'], 'function_declaration');
  }

  /** `x = …` belongs to the scope that declares x. */
  #declaringScope(identifier: Node): Scope {
    const [declared] = this.of(identifier);
    const known = this.#byName.get(identifier.text())?.find(({ binding }) => binding === declared);
    return known?.scope ?? this.#scopeAround(identifier);
  }

  #destructured(pattern: Node, declarator: Node, value: Node | undefined): void {
    const module = value ? this.nameOf(value) : '?';
    for (const part of pattern.namedChildren()) {
      const key = part.is('pair_pattern') ? part.field('key')?.text() : part.text();
      const local = part.is('pair_pattern') ? part.field('value') : part;
      if (!local || (!local.is('identifier') && !local.is('shorthand_property_identifier_pattern'))) continue;
      if (value?.is('call_expression') && /^require\b/.test(value.text()) && key) {
        this.#imports.set(local.text(), moduleMember(module, key));
      } else this.#add(local.text(), declarator, undefined, 'variable');
    }
  }

  #readPython(): void {
    for (const statement of this.#all('import_statement')) {
      for (const part of statement.namedChildren()) {
        if (part.is('aliased_import')) {
          const [name, alias] = [part.field('name')?.text(), part.field('alias')?.text()];
          if (name && alias) this.#imports.set(alias, name);
        } else {
          const first = part.text().split('.')[0];
          if (first) this.#imports.set(first, first);
        }
      }
    }
    for (const statement of this.#all('import_from_statement')) {
      const module = statement.field('module_name');
      if (!module) continue;
      for (const part of statement.namedChildren()) {
        if (part.id() === module.id()) continue;
        const name = part.is('aliased_import') ? part.field('name')?.text() : part.text();
        const local = part.is('aliased_import') ? part.field('alias')?.text() : name;
        if (name && local) this.#imports.set(local, `${module.text()}.${name}`);
      }
    }
    for (const assignment of this.#allOf('assignment', 'augmented_assignment', 'named_expression')) {
      const left = assignment.field('left') ?? assignment.field('name');
      const right = assignment.field('right') ?? assignment.field('value') ?? undefined;
      if (left?.is('identifier')) {
        this.#add(left.text(), assignment, right, assignment.is('augmented_assignment') ? 'augmented' : 'variable');
      } else if (left && !left.is('attribute') && !left.is('subscript')) {
        for (const name of left.findAll({ rule: { kind: 'identifier' } })) {
          this.#add(name.text(), assignment, undefined, 'variable');
        }
      }
    }
    for (const loop of this.#allOf('for_statement', 'for_in_clause')) {
      for (const name of loop.field('left')?.findAll({ rule: { kind: 'identifier' } }) ?? []) {
        this.#add(name.text(), loop, undefined, 'variable');
      }
      const left = loop.field('left');
      if (left?.is('identifier')) this.#add(left.text(), loop, undefined, 'variable');
    }
    this.#readFunctions(['parameters', 'lambda_parameters'], 'function_definition');
  }

  #readFunctions(parameterKinds: readonly string[], functionKind: string): void {
    for (const list of parameterKinds.flatMap((kind) => this.#all(kind))) {
      const owner = list.parent();
      if (owner) for (const parameter of list.namedChildren()) this.#parameter(parameter, owner);
    }
    const arrows = isJavaScript(this.language) ? this.#all('arrow_function') : [];
    for (const arrow of arrows) {
      const single = arrow.field('parameter');
      if (single) this.#parameter(single, arrow);
    }
    for (const declared of this.#all(functionKind)) {
      const name = declared.field('name');
      if (name) this.#add(name.text(), declared, declared, 'function');
    }
  }

  #scopeOf(owner: Node): Scope {
    const own = scopeOver(owner);
    return this.#scopes.find(({ start, end }) => start === own.start && end === own.end) ?? own;
  }

  #namesIn(parameter: Node): readonly Node[] {
    if (parameter.is('identifier')) return [parameter];
    // Most parameters are a name with a type, which has no name of a value in it, and need no search.
    const only = PLAIN_PARAMETER.test(parameter.text()) ? parameter.field('pattern') : null;
    if (only?.is('identifier')) return [only];
    return parameter.findAll({
      rule: isJavaScript(this.language)
        ? { any: [{ kind: 'identifier' }, { kind: 'shorthand_property_identifier_pattern' }] }
        : { kind: 'identifier' },
    });
  }

  /** Types and defaults inside a parameter are not names that it binds; to be sure, only patterns are entered. */
  #parameter(parameter: Node, owner: Node): void {
    if (!isFunction(owner)) return;
    const names = this.#namesIn(parameter);
    for (const name of names) {
      const above = name.parent();
      if (above && (above.is('type') || above.field('value')?.id() === name.id())) continue;
      this.#add(name.text(), parameter, undefined, 'parameter', this.#scopeOf(owner));
    }
  }
}

function scopeOver(node: Node): Scope {
  const { start, end } = node.range();
  return { node, start: start.index, end: end.index };
}

/** `node:fs/promises` is `fs.promises`. */
function moduleName(specifier: string): string {
  return specifier.replace(/^node:/, '').replace(/^fs\/promises$/, 'fs.promises');
}

function moduleMember(module: string, name: string): string {
  return `${module}.${name}`;
}

/** The text of a plain string literal, without quotes. */
export function unquoted(string: Node): string {
  return string.text().replace(/^[a-zA-Z]*("""|'''|["'`])([\s\S]*)\1$/, '$2');
}
