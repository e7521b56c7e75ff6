import type { Node } from '../parse/syntax.js';
import type { Argument, Expr, Func, Member, Span } from './ir.js';

export const at = (node: Node): Span => {
  const { start, end } = node.range();
  return { start: start.index, end: end.index };
};
export const other = (node: Node, children: readonly Expr[] = []): Expr => ({ ...at(node), k: 'other', children });

/** Simple name of a type: `File` of `java.io.File`, `List` of `List<String>`; `[]` for arrays. */
export function javaType(node: Node): string {
  switch (node.kind()) {
    case 'generic_type': {
      const [inner] = node.namedChildren();
      return inner ? javaType(inner) : '';
    }
    case 'array_type':
      return '[]';
    case 'scoped_type_identifier':
    case 'annotated_type':
      return node.text().replace(/<.*$/s, '').split('.').at(-1)?.trim() ?? '';
    default:
      return node.text();
  }
}

/** The annotations of a declaration. */
export function marksOf(node: Node): Node[] {
  const modifiers = node.namedChildren().find((part) => part.is('modifiers'));
  return (modifiers?.namedChildren() ?? []).filter((one) => one.is('annotation') || one.is('marker_annotation'));
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' };
const unescaped = (text: string): string =>
  text.replace(/\\(u[0-9a-fA-F]{4}|.)/g, (whole, sign: string) =>
    sign.length > 1 ? String.fromCharCode(Number.parseInt(sign.slice(1), 16)) : (ESCAPES[sign] ?? whole),
  );

/** Expressions of a class; `isField` tells its fields from variables. */
export class JavaExpressions {
  constructor(
    readonly isField: (name: string) => boolean,
    readonly func: (node: Node) => Func,
    readonly members: (body: Node) => Member[],
  ) {}

  /** `@Get("/a")` as a call, `@Get` as a name. */
  annotation(node: Node): Expr {
    const span = at(node);
    const name = node.field('name')?.text().split('.').at(-1) ?? '';
    const callee: Expr = { ...span, k: 'name', name };
    const list = node.field('arguments');
    if (!list) return callee;
    const args = list.namedChildren().map((one): Argument => {
      const [key, value] = one.is('element_value_pair') ? one.namedChildren() : [undefined, one];
      const made = value ? this.of(value) : other(one);
      return key ? { name: key.text(), value: made } : { value: made };
    });
    return { ...span, k: 'call', callee, args, isNew: false };
  }

  of(node: Node): Expr {
    const span = at(node);
    const child = (i: number): Expr => {
      const one = node.namedChildren()[i];
      return one ? this.of(one) : other(node);
    };
    const field = (name: string): Expr => {
      const one = node.field(name);
      return one ? this.of(one) : other(node);
    };
    switch (node.kind()) {
      case 'identifier':
        return this.isField(node.text())
          ? { ...span, k: 'member', object: { ...span, k: 'name', name: 'this' }, name: node.text() }
          : { ...span, k: 'name', name: node.text() };
      case 'type_identifier':
        return { ...span, k: 'name', name: node.text() };
      case 'this':
      case 'super':
        return { ...span, k: 'name', name: 'this' };
      case 'decimal_integer_literal':
      case 'hex_integer_literal':
      case 'octal_integer_literal':
      case 'binary_integer_literal':
        return {
          ...span,
          k: 'const',
          value: Number(
            node
              .text()
              .replaceAll('_', '')
              .replace(/[lL]$/, '')
              .replace(/^0(?=\d)/, '0o'),
          ),
        };
      case 'decimal_floating_point_literal':
        return { ...span, k: 'const', value: Number.parseFloat(node.text()) };
      case 'character_literal':
        return { ...span, k: 'const', value: unescaped(node.text().slice(1, -1)) };
      case 'string_literal': {
        const text = node.text();
        return {
          ...span,
          k: 'const',
          value: unescaped(text.startsWith('"""') ? text.slice(3, -3).replace(/^\s*\n/, '') : text.slice(1, -1)),
        };
      }
      case 'true':
      case 'false':
        return { ...span, k: 'const', value: node.is('true') };
      case 'null_literal':
        return { ...span, k: 'const', value: null };
      case 'parenthesized_expression':
        return child(0);
      case 'cast_expression':
        return field('value');
      case 'class_literal':
        return other(node);
      case 'field_access':
        return this.#access(node);
      case 'scoped_identifier':
        return { ...span, k: 'name', name: node.text().split('.').at(-1) ?? '' };
      case 'array_access': {
        const index = field('index');
        return { ...span, k: 'index', object: field('array'), index };
      }
      case 'method_invocation':
        return this.#call(node);
      case 'object_creation_expression':
        return this.#made(node);
      case 'array_creation_expression': {
        const value = node.field('value');
        return value ? this.of(value) : { ...span, k: 'list', items: [] };
      }
      case 'array_initializer':
      case 'element_value_array_initializer':
        return { ...span, k: 'list', items: node.namedChildren().map((one) => ({ value: this.of(one) })) };
      case 'assignment_expression': {
        const op = node.field('operator')?.text() ?? '=';
        return { ...span, k: 'assign', op, declares: false, target: field('left'), value: field('right') };
      }
      case 'update_expression':
        return {
          ...span,
          k: 'assign',
          op: '-=',
          declares: false,
          target: child(0),
          value: { ...span, k: 'const', value: 1 },
        };
      case 'unary_expression': {
        const operator = node.field('operator')?.text() ?? '';
        return operator === '!' || operator === '-'
          ? { ...span, k: 'op', op: operator, operands: [field('operand')] }
          : field('operand');
      }
      case 'binary_expression':
        return this.#binary(node);
      case 'instanceof_expression':
        return this.#instanceOf(node);
      case 'ternary_expression':
        return {
          ...span,
          k: 'cond',
          test: field('condition'),
          consequent: field('consequence'),
          otherwise: field('alternative'),
        };
      case 'lambda_expression':
        return { ...span, k: 'func', fn: this.func(node) };
      case 'method_reference': {
        const [object, name] = node.namedChildren();
        return object && name ? { ...span, k: 'member', object: this.of(object), name: name.text() } : other(node);
      }
      case 'switch_expression':
        return this.#switched(node);
      default:
        return other(node);
    }
  }

  /** `a.b.C` of packages is the type alone. */
  #access(node: Node): Expr {
    const text = node.text();
    const span = at(node);
    if (/^[a-z][\w]*(\.[a-z]\w*)+\.[A-Z]\w*$/.test(text))
      return { ...span, k: 'name', name: text.split('.').at(-1) ?? '' };
    const object = node.field('object');
    return {
      ...span,
      k: 'member',
      object: object ? this.of(object) : other(node),
      name: node.field('field')?.text() ?? '',
    };
  }

  #args(node: Node): Argument[] {
    return (node.field('arguments')?.namedChildren() ?? [])
      .filter((one) => !/comment$/.test(String(one.kind())))
      .map((one) => ({ value: this.of(one) }));
  }

  #call(node: Node): Expr {
    const span = at(node);
    const object = node.field('object');
    const name = node.field('name')?.text() ?? '';
    const args = this.#args(node);
    const [first] = args;
    // What it is called on in `"…".equals(x)` and `x.equals("…")` is compared.
    if (object && first && args.length === 1 && /^(equals|equalsIgnoreCase|contentEquals)$/.test(name))
      return { ...span, k: 'op', op: '==', operands: [this.of(object), first.value] };
    const callee: Expr = {
      ...span,
      k: 'member',
      object: object ? this.of(object) : { ...span, k: 'name', name: 'this' },
      name: name === 'contains' || name === 'containsKey' ? 'includes' : name,
    };
    return { ...span, k: 'call', callee, args, isNew: false };
  }

  #made(node: Node): Expr {
    const span = at(node);
    const type = node.field('type');
    const body = node.namedChildren().find((one) => one.is('class_body'));
    const name = type ? javaType(type) : '';
    const named: Expr = { ...span, k: 'name', name };
    const callee: Expr = body
      ? { ...span, k: 'class', cls: { ...span, name, bases: [named], members: this.members(body), decorators: [] } }
      : named;
    return { ...span, k: 'call', callee, args: this.#args(node), isNew: true };
  }

  #binary(node: Node): Expr {
    const operator = node.field('operator')?.text() ?? '';
    const sides = [node.field('left'), node.field('right')].map((side) => (side ? this.of(side) : other(node)));
    const isText = (part: Expr): boolean => part.k === 'text' || (part.k === 'const' && typeof part.value === 'string');
    if (operator === '+' && sides.some(isText))
      return { ...at(node), k: 'text', parts: sides.flatMap((part) => (part.k === 'text' ? part.parts : [part])) };
    return { ...at(node), k: 'op', op: operator, operands: sides };
  }

  /** `o instanceof String s`: `s` is `o`. */
  #instanceOf(node: Node): Expr {
    const span = at(node);
    const [left, , name] = node.namedChildren();
    const value = left ? this.of(left) : other(node);
    if (name?.is('identifier') !== true) return other(node, [value]);
    return other(node, [
      { ...span, k: 'assign', op: '=', declares: true, target: { ...span, k: 'name', name: name.text() }, value },
    ]);
  }

  /** Any of its results. */
  #switched(node: Node): Expr {
    const values = (node.field('body')?.namedChildren() ?? []).flatMap((group) =>
      group.namedChildren().flatMap((one): Expr[] => {
        if (!one.is('expression_statement')) return [];
        const [value] = one.namedChildren();
        return value ? [this.of(value)] : [];
      }),
    );
    const [first, ...more] = values;
    const on = node.field('condition');
    if (!first || !on) return other(node);
    const test = other(on, [this.of(on)]);
    return more.reduce<Expr>((all, one) => ({ ...at(node), k: 'cond', test, consequent: all, otherwise: one }), first);
  }
}
