import { hasErrors, parseSyntax, type Node } from '../parse/syntax.js';
import type { Argument, Class, Entry, Expr, Func, Handler, Member, Module, Parameter, Span, Stmt } from './ir.js';

const at = (node: Node): Span => {
  const { start, end } = node.range();
  return { start: start.index, end: end.index };
};
const other = (node: Node, children: readonly Expr[] = []): Expr => ({ ...at(node), k: 'other', children });

export function lowerPython(path: string, text: string): Module {
  const root = parseSyntax('python', text);
  return { path, text, language: 'python', body: statements(root), sound: !hasErrors(root) };
}

function statements(node: Node | null | undefined): Stmt[] {
  return node ? node.namedChildren().flatMap((child) => statement(child)) : [];
}

function expr(node: Node | null, around: Node): Expr {
  return node ? expression(node) : other(around);
}

function statement(node: Node, decorators: readonly Expr[] = []): Stmt[] {
  const span = at(node);
  switch (node.kind()) {
    case 'expression_statement':
      return node.namedChildren().map((child) => ({ ...span, k: 'expr', value: expression(child) }));
    case 'return_statement': {
      const [value] = node.namedChildren();
      return [{ ...span, k: 'return', value: value && expression(value) }];
    }
    case 'raise_statement': {
      const [value] = node.namedChildren();
      return [{ ...span, k: 'throw', value: value && expression(value) }];
    }
    case 'break_statement':
    case 'continue_statement':
      return [{ ...span, k: 'leave' }];
    case 'assert_statement': {
      const [test] = node.namedChildren();
      return test ? [{ ...span, k: 'assert', test: expression(test) }] : [];
    }
    case 'if_statement':
      return [
        branch(
          node,
          node.namedChildren().filter((child) => child.is('elif_clause') || child.is('else_clause')),
        ),
      ];
    case 'for_statement':
      return [
        {
          ...span,
          k: 'loop',
          target: expr(node.field('left'), node),
          iter: expr(node.field('right'), node),
          over: 'of',
          body: statements(node.field('body')),
        },
      ];
    case 'while_statement':
      return [{ ...span, k: 'loop', test: expr(node.field('condition'), node), body: statements(node.field('body')) }];
    case 'try_statement':
      return [attempt(node)];
    case 'with_statement':
      return [...withItems(node), { ...span, k: 'block', body: statements(node.field('body')) }];
    case 'function_definition':
      return [{ ...span, k: 'func', fn: func(node, decorators) }];
    case 'class_definition':
      return [{ ...span, k: 'class', cls: klass(node, decorators) }];
    case 'decorated_definition': {
      const marks = node.namedChildren().filter((child) => child.is('decorator'));
      const definition = node.field('definition');
      return definition
        ? statement(
            definition,
            marks.flatMap((mark) => mark.namedChildren().slice(0, 1).map(expression)),
          )
        : [];
    }
    case 'import_statement':
      return node.namedChildren().map((part) => {
        const name = part.is('aliased_import') ? (part.field('name')?.text() ?? '') : part.text();
        const alias = part.field('alias')?.text();
        const first = name.split('.')[0] ?? name;
        return alias === undefined
          ? { ...span, k: 'import', module: first, names: [{ imported: '*', local: first }], level: 0 }
          : { ...span, k: 'import', module: name, names: [{ imported: '*', local: alias }], level: 0 };
      });
    case 'import_from_statement':
      return [fromImport(node)];
    case 'match_statement': {
      const clauses = node.field('body')?.namedChildren() ?? [];
      const cases = clauses.flatMap((clause) => matchCase(clause));
      return [{ ...span, k: 'switch', value: expr(node.field('subject'), node), cases }];
    }
    case 'block':
      return statements(node);
    case 'ERROR':
      return [];
    case 'print_statement':
    case 'exec_statement':
      return [{ ...span, k: 'expr', value: other(node, node.namedChildren().map(expression)) }];
    default:
      return [];
  }
}

function branch(node: Node, rest: readonly Node[]): Stmt {
  const [next, ...more] = rest;
  let otherwise: Stmt[] = [];
  if (next?.is('elif_clause')) otherwise = [branch(next, more)];
  else if (next) otherwise = statements(next.field('body'));
  return {
    ...at(node),
    k: 'if',
    test: expr(node.field('condition'), node),
    consequent: statements(node.field('consequence')),
    otherwise,
  };
}

function attempt(node: Node): Stmt {
  const handlers: Handler[] = [];
  let last: Stmt[] = [];
  const body = statements(node.field('body'));
  for (const child of node.namedChildren()) {
    if (child.is('except_clause') || child.is('except_group_clause')) {
      const parts = child.namedChildren().filter((part) => !part.is('comment'));
      const lines = parts.find((part) => part.is('block'));
      const [caught] = parts.filter((part) => !part.is('block'));
      const named = caught?.is('as_pattern') === true ? caught : undefined;
      const type = named ? named.namedChildren()[0] : caught;
      const types = !type ? [] : type.is('tuple') ? type.namedChildren().map(expression) : [expression(type)];
      const name = named?.field('alias')?.namedChildren()[0];
      handlers.push({ types, name: name && expression(name), body: statements(lines), span: at(child) });
    } else if (child.is('else_clause')) body.push(...statements(child.field('body')));
    else if (child.is('finally_clause')) last = statements(child.namedChildren().find((part) => part.is('block')));
  }
  return { ...at(node), k: 'try', body, handlers, last };
}

function withItems(node: Node): Stmt[] {
  const clause = node.namedChildren().find((child) => child.is('with_clause'));
  return (clause?.namedChildren() ?? []).map((item): Stmt => {
    const value = item.field('value') ?? item;
    if (!value.is('as_pattern')) return { ...at(item), k: 'expr', value: expression(value) };
    const [opened] = value.namedChildren();
    const alias = value.field('alias')?.namedChildren()[0];
    const made = opened ? expression(opened) : other(item);
    return {
      ...at(item),
      k: 'expr',
      value: alias
        ? { ...at(item), k: 'assign', op: '=', declares: true, target: expression(alias), value: made }
        : made,
    };
  });
}

/** A clause of `match`, once for each of its patterns; none falls through to the next. */
function matchCase(clause: Node): { test: Expr | undefined; body: Stmt[] }[] {
  const body: Stmt[] = [...statements(clause.field('consequence')), { ...at(clause), k: 'leave' }];
  const [pattern] = clause.namedChildren();
  const isGuarded = clause.namedChildren().some((part) => part.is('if_clause'));
  const inner = pattern?.is('case_pattern') === true ? pattern.namedChildren() : [];
  const alternatives = inner[0]?.is('union_pattern') === true ? inner[0].namedChildren() : inner;
  // `case _`, and a name, take everything.
  const isName = inner.length === 1 && inner[0]?.is('dotted_name') === true && !inner[0].text().includes('.');
  if (!isGuarded && (inner.length === 0 || isName)) return [{ test: undefined, body }];
  if (isGuarded || alternatives.some((one) => !/^(string|integer|float|true|false|none)$/.test(String(one.kind()))))
    return [{ test: other(clause), body }];
  return alternatives.map((one) => ({ test: expression(one), body }));
}

function fromImport(node: Node): Stmt {
  const module = node.field('module_name');
  const dots = module?.is('relative_import') === true ? (/^\.+/.exec(module.text())?.[0].length ?? 0) : 0;
  const name = (module?.text() ?? '').replace(/^\.+/, '').trim();
  const names = node
    .namedChildren()
    .filter((part) => part.id() !== module?.id() && (part.is('dotted_name') || part.is('aliased_import')))
    .map((part) => {
      const imported = part.is('aliased_import') ? (part.field('name')?.text() ?? '') : part.text();
      return { imported, local: part.field('alias')?.text() ?? imported };
    });
  return { ...at(node), k: 'import', module: name, names, level: dots };
}

function func(node: Node, decorators: readonly Expr[]): Func {
  const body = node.field('body');
  const isLambda = node.is('lambda');
  return {
    ...at(node),
    name: node.field('name')?.text() ?? '',
    params: (node.field('parameters')?.namedChildren() ?? []).flatMap(parameter),
    body: isLambda && body ? [{ ...at(body), k: 'return', value: expression(body) }] : statements(body),
    decorators,
    async: false,
    exported: !isLambda,
  };
}

function parameter(node: Node): Parameter[] {
  const named = (target: Node, more: Partial<Parameter>): Parameter[] => [
    { target: expression(target), decorators: [], ...more },
  ];
  switch (node.kind()) {
    case 'identifier':
      return named(node, {});
    case 'typed_parameter': {
      const [target] = node.namedChildren();
      const type = typeOf(node);
      return target ? named(target, type === undefined ? {} : { type }) : [];
    }
    case 'default_parameter':
    case 'typed_default_parameter': {
      const [target, value] = [node.field('name'), node.field('value')];
      const type = typeOf(node);
      return target
        ? named(target, { ...(value ? { initial: expression(value) } : {}), ...(type === undefined ? {} : { type }) })
        : [];
    }
    case 'list_splat_pattern':
    case 'dictionary_splat_pattern': {
      const [target] = node.namedChildren();
      return target ? named(target, { rest: true }) : [];
    }
    default:
      return [];
  }
}

const typeOf = (node: Node): string | undefined =>
  /([A-Za-z_]\w*)\s*(?:\[.*\])?["']?$/s.exec(node.field('type')?.text() ?? '')?.[1];

function klass(node: Node, decorators: readonly Expr[]): Class {
  const members = statements(node.field('body')).flatMap((part): Member[] => {
    const span = { start: part.start, end: part.end };
    if (part.k === 'func') {
      const isStatic = part.fn.decorators.some((mark) => mark.k === 'name' && mark.name === 'staticmethod');
      return [
        {
          name: part.fn.name,
          value: { ...span, k: 'func', fn: part.fn },
          isStatic,
          ...(part.fn.decorators.some((mark) => mark.k === 'name' && /property$/.test(mark.name))
            ? { isGetter: true }
            : {}),
          decorators: part.fn.decorators,
          span,
        },
      ];
    }
    if (part.k === 'expr' && part.value.k === 'assign' && part.value.target.k === 'name')
      return [{ name: part.value.target.name, value: part.value.value, isStatic: true, decorators: [], span }];
    return [];
  });
  const bases = (node.field('superclasses')?.namedChildren() ?? [])
    .filter((base) => !base.is('keyword_argument'))
    .map(expression);
  return { ...at(node), name: node.field('name')?.text() ?? '', bases, members, decorators };
}

function args(list: Node | null): Argument[] {
  if (!list) return [];
  if (list.is('generator_expression')) return [{ value: expression(list) }];
  return list.namedChildren().flatMap((part): Argument[] => {
    if (part.is('comment')) return [];
    if (part.is('keyword_argument')) {
      const [name, value] = [part.field('name'), part.field('value')];
      return name && value ? [{ name: name.text(), value: expression(value) }] : [];
    }
    if (part.is('list_splat') || part.is('dictionary_splat')) {
      const [inner] = part.namedChildren();
      return inner ? [{ value: expression(inner), spread: true }] : [];
    }
    return [{ value: expression(part) }];
  });
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '0': '\0',
};

function unescaped(text: string, raw: boolean): string {
  return raw
    ? text
    : text.replace(/\\(\r?\n|[\s\S])/g, (whole, sign: string) => (sign.includes('\n') ? '' : (ESCAPES[sign] ?? whole)));
}

/** A string with its interpolations. */
function stringParts(node: Node): Expr[] {
  const text = node.text();
  const prefix = (/^[a-zA-Z]*/.exec(text)?.[0] ?? '').toLowerCase();
  const raw = prefix.includes('r');
  if (!prefix.includes('f')) {
    const body = text.slice(prefix.length).replace(/^("""|'''|["'])([\s\S]*)\1$/, '$2');
    return [{ ...at(node), k: 'const', value: unescaped(body, raw) }];
  }
  const parts: Expr[] = [];
  for (const child of node.namedChildren()) {
    if (child.is('string_content')) parts.push({ ...at(child), k: 'const', value: unescaped(child.text(), raw) });
    else if (child.is('interpolation')) {
      const value = child.field('expression') ?? child.namedChildren()[0];
      if (value) parts.push(expression(value));
    }
  }
  return parts;
}

function textOf(node: Node, parts: readonly Expr[]): Expr {
  const [only] = parts;
  if (parts.every((part) => part.k === 'const'))
    return {
      ...at(node),
      k: 'const',
      value: parts.map((part) => (part.k === 'const' ? String(part.value) : '')).join(''),
    };
  return parts.length === 1 && only ? { ...at(node), k: 'text', parts: [only] } : { ...at(node), k: 'text', parts };
}

function binary(node: Node): Expr {
  const operator = node.field('operator')?.text() ?? '';
  const operands = [expr(node.field('left'), node), expr(node.field('right'), node)];
  const [left, right] = operands;
  const isText = (part: Expr | undefined): boolean =>
    part?.k === 'text' || (part?.k === 'const' && typeof part.value === 'string');
  if (operator === '+' && operands.some(isText))
    return { ...at(node), k: 'text', parts: operands.flatMap((part) => (part.k === 'text' ? part.parts : [part])) };
  if (operator === '%' && left && right && isText(left)) {
    // 'a %s b' % (x, y): the holes stand where the marks are.
    const holes = right.k === 'list' ? right.items.map(({ value }) => value) : [right];
    if (left.k !== 'const') return { ...at(node), k: 'text', parts: [left, ...holes] };
    return {
      ...at(node),
      k: 'text',
      parts: filled(
        left,
        String(left.value).split(MARK),
        [...String(left.value).matchAll(MARK)].map((mark, i) => numbered(mark[0], holes[i] ?? holes.at(-1) ?? right)),
      ),
    };
  }
  return { ...at(node), k: 'op', op: operator, operands };
}

const MARK = /%(?:\(\w+\))?[-+ #0]*[\d.*]*[a-zA-Z]/g;

/** What stands at a mark: `%d` takes numbers only. */
const numbered = (mark: string, hole: Expr): Expr =>
  /[dioxXeEfFgG]$/.test(mark)
    ? { ...hole, k: 'call', callee: { ...hole, k: 'name', name: 'float' }, args: [{ value: hole }], isNew: false }
    : hole;

/** Text with holes in their places; more texts than holes: the last hole stands for the rest. */
export function filled(span: Span, texts: readonly string[], holes: readonly Expr[]): Expr[] {
  const parts: Expr[] = [];
  const here = { start: span.start, end: span.end };
  for (const [i, text] of texts.entries()) {
    if (text !== '') parts.push({ ...here, k: 'const', value: text });
    const hole = i < texts.length - 1 ? (holes[i] ?? holes.at(-1)) : undefined;
    if (hole) parts.push(hole);
  }
  return [...parts, ...holes.slice(Math.max(0, texts.length - 1))];
}

function comprehension(node: Node): Expr {
  const clauses = node.namedChildren().filter((child) => child.is('for_in_clause'));
  const test = node
    .namedChildren()
    .find((child) => child.is('if_clause'))
    ?.namedChildren()[0];
  const body = node.field('body');
  let value: Expr = body?.is('pair') ? expr(body.field('value'), node) : expr(body, node);
  for (const [i, clause] of clauses.reverse().entries()) {
    value = {
      ...at(node),
      k: 'each',
      target: expr(clause.field('left'), node),
      iter: expr(clause.field('right'), node),
      ...(i === 0 && test ? { test: expression(test) } : {}),
      value,
    };
  }
  return value;
}

function expression(node: Node): Expr {
  const span = at(node);
  switch (node.kind()) {
    case 'identifier':
      return { ...span, k: 'name', name: node.text() };
    case 'attribute':
      return {
        ...span,
        k: 'member',
        object: expr(node.field('object'), node),
        name: node.field('attribute')?.text() ?? '',
      };
    case 'subscript': {
      const index = node.field('subscript');
      const inner = expr(index, node);
      const object = expr(node.field('value'), node);
      if (inner.k === 'const' && typeof inner.value === 'string')
        return { ...span, k: 'member', object, name: inner.value };
      return { ...span, k: 'index', object, index: inner };
    }
    case 'call':
      return {
        ...span,
        k: 'call',
        callee: expr(node.field('function'), node),
        args: args(node.field('arguments')),
        isNew: false,
      };
    case 'string':
      return textOf(node, stringParts(node));
    case 'concatenated_string':
      return textOf(
        node,
        node.namedChildren().flatMap((part) => (part.is('string') ? stringParts(part) : [])),
      );
    case 'integer':
      return { ...span, k: 'const', value: Number(node.text().replaceAll('_', '')) };
    case 'float':
      return { ...span, k: 'const', value: Number.parseFloat(node.text()) };
    case 'true':
    case 'false':
      return { ...span, k: 'const', value: node.is('true') };
    case 'none':
      return { ...span, k: 'const', value: null };
    case 'list':
    case 'tuple':
    case 'set':
    case 'pattern_list':
    case 'tuple_pattern':
    case 'list_pattern':
    case 'expression_list':
      return { ...span, k: 'list', items: args(node) };
    case 'dictionary':
      return { ...span, k: 'object', entries: node.namedChildren().flatMap(dictEntry) };
    case 'binary_operator':
      return binary(node);
    case 'boolean_operator':
      return {
        ...span,
        k: 'op',
        op: node.field('operator')?.text() === 'and' ? '&&' : '||',
        operands: [expr(node.field('left'), node), expr(node.field('right'), node)],
      };
    case 'comparison_operator': {
      const signs = node
        .children()
        .filter((child) => !child.isNamed())
        .map((child) => child.text());
      return { ...span, k: 'op', op: signs.join(' ') || '==', operands: node.namedChildren().map(expression) };
    }
    case 'not_operator':
      return { ...span, k: 'op', op: '!', operands: [expr(node.field('argument'), node)] };
    case 'unary_operator':
      return { ...span, k: 'op', op: '-', operands: [expr(node.field('argument'), node)] };
    case 'conditional_expression': {
      const [then, test, otherwise] = node.namedChildren();
      return then && test && otherwise
        ? { ...span, k: 'cond', test: expression(test), consequent: expression(then), otherwise: expression(otherwise) }
        : other(node);
    }
    case 'lambda':
      return { ...span, k: 'func', fn: func(node, []) };
    case 'await':
      return { ...span, k: 'await', value: expr(node.namedChildren()[0] ?? null, node) };
    case 'parenthesized_expression':
      return expr(node.namedChildren().find((child) => !child.is('comment')) ?? null, node);
    case 'assignment': {
      const right = node.field('right');
      return {
        ...span,
        k: 'assign',
        op: right ? '=' : '',
        declares: true,
        target: expr(node.field('left'), node),
        value: expr(right, node),
      };
    }
    case 'augmented_assignment':
      return {
        ...span,
        k: 'assign',
        op: node.field('operator')?.text() ?? '+=',
        declares: false,
        target: expr(node.field('left'), node),
        value: expr(node.field('right'), node),
      };
    case 'named_expression':
      return {
        ...span,
        k: 'assign',
        op: '=',
        declares: true,
        target: expr(node.field('name'), node),
        value: expr(node.field('value'), node),
      };
    case 'list_comprehension':
    case 'set_comprehension':
    case 'generator_expression':
    case 'dictionary_comprehension':
      return comprehension(node);
    case 'list_splat':
    case 'yield':
    case 'slice':
      return other(node, node.namedChildren().map(expression));
    default:
      return other(node);
  }
}

function dictEntry(node: Node): Entry[] {
  if (node.is('pair')) {
    const [key, value] = [node.field('key'), node.field('value')];
    if (!key || !value) return [];
    const name = expression(key);
    return name.k === 'const'
      ? [{ key: String(name.value), value: expression(value) }]
      : [{ key: undefined, computed: name, value: expression(value) }];
  }
  const [inner] = node.namedChildren();
  return node.is('dictionary_splat') && inner ? [{ key: undefined, value: expression(inner), spread: true }] : [];
}
