import type { Node } from '../parse/syntax.js';
import type { Argument, Entry, Expr, Func, Span } from './ir.js';

export const at = (node: Node): Span => {
  const { start, end } = node.range();
  return { start: start.index, end: end.index };
};
export const other = (node: Node, children: readonly Expr[] = []): Expr => ({ ...at(node), k: 'other', children });

/** Path of a module without its version, and what its package is called: `github.com/go-chi/chi/v5` is `chi`. */
export function goModule(path: string): { module: string; name: string } {
  const module = path.replace(/\/v\d+$/, '').replace(/\.v\d+$/, '');
  const last = module.slice(module.lastIndexOf('/') + 1);
  return { module, name: last.replace(/^go-|[-.]go$/g, '').replaceAll('-', '_') };
}

const NUMERIC = /^(u?int(8|16|32|64|ptr)?|float(32|64)|byte|rune|bool|complex(64|128)|time\.Duration)$/;

/** Functions of `strings` and the like as the methods that they are elsewhere, so that checks and texts read the same. */
const AS_METHOD: Readonly<Record<string, string>> = {
  'strings.HasPrefix': 'startsWith',
  'strings.HasSuffix': 'endsWith',
  'strings.Contains': 'includes',
  'strings.ToLower': 'toLowerCase',
  'strings.ToUpper': 'toUpperCase',
  'strings.TrimSpace': 'trim',
  'strings.Join': 'join',
  'slices.Contains': 'includes',
  'golang.org/x/exp/slices.Contains': 'includes',
  'strings.Index': 'indexOf',
  'bytes.HasPrefix': 'startsWith',
  'bytes.Contains': 'includes',
};

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' };
const unescaped = (text: string): string => text.replace(/\\(.)/g, (whole, sign: string) => ESCAPES[sign] ?? whole);

/** Expressions of a file of Go; `imports` are the packages by the names that they have in it. */
export class GoExpressions {
  constructor(
    readonly imports: ReadonlyMap<string, string>,
    readonly func: (node: Node) => Func,
  ) {}

  /** Full name of a type without pointers and parameters: `net/http.Request`; `[]` and `map` for collections. */
  typeName(node: Node): string {
    switch (node.kind()) {
      case 'pointer_type':
      case 'parenthesized_type':
      case 'generic_type': {
        const [inner] = node.namedChildren();
        return inner ? this.typeName(inner) : '';
      }
      case 'qualified_type': {
        const [pack = '', name = ''] = node.text().split('.');
        return `${this.imports.get(pack) ?? pack}.${name}`;
      }
      case 'slice_type':
      case 'array_type':
        return '[]';
      case 'map_type':
        return 'map';
      case 'function_type':
        return 'func';
      default:
        return node.text();
    }
  }

  /** What a variable of a type is before anything is assigned to it. */
  zero(type: Node): Expr {
    const span = at(type);
    const name = this.typeName(type);
    if (name === 'bool') return { ...span, k: 'const', value: false };
    if (NUMERIC.test(name)) return { ...span, k: 'const', value: 0 };
    if (name === 'string') return { ...span, k: 'const', value: '' };
    if (name === '[]') return { ...span, k: 'list', items: [] };
    if (name === 'map') return { ...span, k: 'object', entries: [] };
    if (/^(error|any|func)$/.test(name) || /_type$/.test(String(type.kind())) === false)
      return type.is('type_identifier') && !/^(error|any)$/.test(name)
        ? this.#made(type, type, [])
        : { ...span, k: 'const', value: null };
    return type.is('qualified_type') ? this.#made(type, type, []) : other(type);
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
      case 'package_identifier':
      case 'field_identifier':
      case 'type_identifier':
        return { ...span, k: 'name', name: node.text() };
      case 'int_literal': {
        const value = Number(
          node
            .text()
            .replaceAll('_', '')
            .replace(/^0(?=\d)/, '0o'),
        );
        return { ...span, k: 'const', value };
      }
      case 'float_literal':
        return { ...span, k: 'const', value: Number.parseFloat(node.text()) };
      case 'rune_literal':
        return { ...span, k: 'const', value: unescaped(node.text().slice(1, -1)) };
      case 'interpreted_string_literal':
        return { ...span, k: 'const', value: unescaped(node.text().slice(1, -1)) };
      case 'raw_string_literal':
        return { ...span, k: 'const', value: node.text().slice(1, -1) };
      case 'true':
      case 'false':
        return { ...span, k: 'const', value: node.is('true') };
      case 'nil':
        return { ...span, k: 'const', value: null };
      case 'parenthesized_expression':
      case 'expression_list':
      case 'literal_element':
      case 'type_assertion_expression':
        return child(0);
      case 'type_conversion_expression':
        return field('operand');
      case 'selector_expression':
        return { ...span, k: 'member', object: field('operand'), name: node.field('field')?.text() ?? '' };
      case 'index_expression': {
        const index = field('index');
        const object = field('operand');
        if (index.k === 'const' && typeof index.value === 'string')
          return { ...span, k: 'member', object, name: index.value };
        return { ...span, k: 'index', object, index };
      }
      case 'slice_expression':
        return {
          ...span,
          k: 'call',
          callee: { ...span, k: 'member', object: field('operand'), name: 'slice' },
          args: [],
          isNew: false,
        };
      case 'call_expression':
        return this.#call(node);
      case 'composite_literal': {
        const [type, body] = [node.field('type'), node.field('body')];
        return type && body ? this.#literal(node, type, body) : other(node);
      }
      case 'literal_value':
        return this.#elements(node);
      case 'func_literal':
        return { ...span, k: 'func', fn: this.func(node) };
      case 'unary_expression': {
        const operator = node.field('operator')?.text() ?? '';
        const operand = field('operand');
        if (operator === '!' || operator === '-') return { ...span, k: 'op', op: operator, operands: [operand] };
        return operand;
      }
      case 'binary_expression':
        return this.#binary(node);
      default:
        return other(node);
    }
  }

  #binary(node: Node): Expr {
    const span = at(node);
    const operator = node.field('operator')?.text() ?? '';
    const sides = [node.field('left'), node.field('right')].map((side) => (side ? this.of(side) : other(node)));
    const isText = (part: Expr): boolean => part.k === 'text' || (part.k === 'const' && typeof part.value === 'string');
    if (operator === '+' && sides.some(isText))
      return { ...span, k: 'text', parts: sides.flatMap((part) => (part.k === 'text' ? part.parts : [part])) };
    return { ...span, k: 'op', op: operator, operands: sides };
  }

  #call(node: Node): Expr {
    const span = at(node);
    const fn = node.field('function');
    const args = (node.field('arguments')?.namedChildren() ?? [])
      .filter((part) => !part.is('comment'))
      .map((part): Argument => {
        const [inner] = part.namedChildren();
        return part.is('variadic_argument') && inner
          ? { value: this.of(inner), spread: true }
          : { value: this.of(part) };
      });
    const [first, ...rest] = args;
    const name = fn?.text() ?? '';
    if (first && rest.length === 0 && /^(string|any|error)$|^\[\](byte|rune)$/.test(name)) return first.value;
    const full = this.#fullName(fn);
    const method = AS_METHOD[full];
    if (first && method !== undefined)
      return {
        ...span,
        k: 'call',
        callee: { ...span, k: 'member', object: first.value, name: method },
        args: rest,
        isNew: false,
      };
    if (full === 'strings.EqualFold' && first && rest[0])
      return { ...span, k: 'op', op: '==', operands: [first.value, rest[0].value] };
    if (/^regexp\.(Must)?Compile(POSIX)?$/.test(full))
      return { ...span, k: 'call', callee: { ...span, k: 'name', name: 'RegExp' }, args, isNew: false };
    if (full === 'new' && args.length === 1) {
      const [type] = node.field('arguments')?.namedChildren() ?? [];
      if (type) return this.#made(node, type, []);
    }
    const written = first && this.#written(node, full, first, rest);
    if (written) return written;
    const callee = fn ? this.of(fn) : other(node);
    // A logger that formats: the text that it writes.
    if (
      callee.k === 'member' &&
      first &&
      /^(Print|Error|Info|Warn|Warning|Debug|Fatal|Panic|Trace|Log)f$/.test(callee.name) &&
      full !== 'fmt.Errorf'
    )
      return {
        ...span,
        k: 'call',
        callee: { ...callee, name: callee.name.slice(0, -1) },
        args: [{ value: this.#format(node, args) }],
        isNew: false,
      };
    if (callee.k === 'member' && /^(MatchString|Match)$/.test(callee.name))
      return { ...span, k: 'call', callee: { ...callee, name: 'test' }, args, isNew: false };
    return { ...span, k: 'call', callee, args, isNew: false };
  }

  #format(node: Node, args: readonly Argument[], name = 'Sprintf'): Expr {
    const span = at(node);
    const callee: Expr = { ...span, k: 'member', object: { ...span, k: 'name', name: 'fmt' }, name };
    return { ...span, k: 'call', callee, args, isNew: false };
  }

  /** `fmt.Fprintf(w, …)`, `io.WriteString(w, …)`: `w` writes a text. */
  #written(node: Node, full: string, writer: Argument, rest: readonly Argument[]): Expr | undefined {
    const [text] = rest;
    const value = /^fmt\.Fprint(f|ln)?$/.test(full)
      ? this.#format(node, rest, full === 'fmt.Fprintf' ? 'Sprintf' : 'Sprint')
      : full === 'io.WriteString'
        ? text?.value
        : undefined;
    const span = at(node);
    return (
      value && {
        ...span,
        k: 'call',
        callee: { ...span, k: 'member', object: writer.value, name: 'Write' },
        args: [{ value }],
        isNew: false,
      }
    );
  }

  /** `strings.HasPrefix` of a selector on an imported package. */
  #fullName(fn: Node | null): string {
    const text = fn?.text() ?? '';
    const dot = text.indexOf('.');
    if (dot < 0) return text;
    const module = this.imports.get(text.slice(0, dot));
    return module === undefined ? '' : `${module}${text.slice(dot)}`;
  }

  #literal(node: Node, type: Node, body: Node): Expr {
    if (/^(slice_type|array_type|implicit_length_array_type)$/.test(String(type.kind())))
      return { ...at(node), k: 'list', items: body.namedChildren().map((one) => ({ value: this.#element(one) })) };
    if (type.is('map_type')) return { ...at(node), k: 'object', entries: this.#entries(body, true) };
    if (type.is('struct_type')) return { ...at(node), k: 'object', entries: this.#entries(body, false) };
    const args = body
      .namedChildren()
      .filter((one) => !one.is('comment'))
      .map((one): Argument => {
        const key = one.is('keyed_element') ? one.namedChildren()[0]?.text() : undefined;
        return key === undefined ? { value: this.#element(one) } : { name: key, value: this.#element(one) };
      });
    return this.#made(node, type, args);
  }

  /** `T{…}`, `new(T)` and a variable of type T: the making of an object. */
  #made(node: Node, type: Node, args: readonly Argument[]): Expr {
    const inner = type.is('generic_type') ? (type.namedChildren()[0] ?? type) : type;
    const [pack, name] = inner.text().split('.');
    const span = at(type);
    const callee: Expr =
      inner.is('qualified_type') && name !== undefined
        ? { ...span, k: 'member', object: { ...span, k: 'name', name: pack ?? '' }, name }
        : { ...span, k: 'name', name: inner.text() };
    return { ...at(node), k: 'call', callee, args, isNew: true };
  }

  /** A literal whose type is left out: by the look of it. */
  #elements(body: Node): Expr {
    const parts = body.namedChildren();
    return parts.some((one) => one.is('keyed_element'))
      ? { ...at(body), k: 'object', entries: this.#entries(body, false) }
      : { ...at(body), k: 'list', items: parts.map((one) => ({ value: this.#element(one) })) };
  }

  #element(node: Node): Expr {
    const value = node.is('keyed_element') ? node.namedChildren()[1] : node;
    return value ? this.of(value) : other(node);
  }

  #entries(body: Node, isMap: boolean): Entry[] {
    return body.namedChildren().flatMap((one): Entry[] => {
      if (!one.is('keyed_element')) return [];
      const [key] = one.namedChildren();
      if (!key) return [];
      const value = this.#element(one);
      const made = this.of(key);
      if (made.k === 'const') return [{ key: String(made.value), value }];
      return isMap ? [{ key: undefined, computed: made, value }] : [{ key: key.text(), value }];
    });
  }
}
