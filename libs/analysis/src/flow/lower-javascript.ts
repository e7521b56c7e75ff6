import { parseSync } from 'oxc-parser';
import type {
  Argument,
  Class,
  Entry,
  Expr,
  Func,
  ImportedName,
  Member,
  Module,
  Parameter,
  Primitive,
  Span,
  Stmt,
} from './ir.js';

/** A node of ESTree as the parser gives it. */
interface EsNode extends Span {
  readonly type: string;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is EsNode =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
const one = (node: EsNode, field: string): EsNode | undefined => {
  const value = node[field];
  return isNode(value) ? value : undefined;
};
const many = (node: EsNode, field: string): EsNode[] => {
  const value = node[field];
  return Array.isArray(value) ? value.filter(isNode) : [];
};
const word = (node: EsNode | undefined, field: string): string => {
  const value = node?.[field];
  return typeof value === 'string' ? value : '';
};
const at = ({ start, end }: Span): Span => ({ start, end });

/** JavaScript and TypeScript of any kind. Returns undefined when the text can't be parsed at all. */
export function lowerJavaScript(path: string, text: string): Module | undefined {
  const jsx = /\.(jsx?|mjs|cjs)$/.test(path) ? 'jsx' : path.endsWith('.tsx') ? 'tsx' : 'ts';
  const result = parseSync(path, text, { lang: jsx, sourceType: 'unambiguous' });
  const program: unknown = result.program;
  if (!isNode(program) || (result.errors.length > 0 && many(program, 'body').length === 0)) return undefined;
  return {
    path,
    text,
    language: 'javascript',
    body: statements(many(program, 'body')),
    sound: result.errors.length === 0,
  };
}

const statements = (nodes: readonly EsNode[]): Stmt[] => nodes.flatMap(statement);
const block = (node: EsNode | undefined): Stmt[] =>
  node === undefined ? [] : node.type === 'BlockStatement' ? statements(many(node, 'body')) : statement(node);

function statement(node: EsNode): Stmt[] {
  const span = at(node);
  const value = (field: string): Expr => expression(one(node, field), span);
  const maybe = (field: string): Expr | undefined => (one(node, field) ? value(field) : undefined);
  switch (node.type) {
    case 'ExpressionStatement':
      return [{ ...span, k: 'expr', value: value('expression') }];
    case 'VariableDeclaration':
      return declaration(node).map((expr) => ({ ...at(expr), k: 'expr', value: expr }));
    case 'FunctionDeclaration':
      return [{ ...span, k: 'func', fn: func(node, word(one(node, 'id'), 'name')) }];
    case 'ClassDeclaration':
      return [{ ...span, k: 'class', cls: klass(node) }];
    case 'ReturnStatement':
      return [{ ...span, k: 'return', value: maybe('argument') }];
    case 'ThrowStatement':
      return [{ ...span, k: 'throw', value: maybe('argument') }];
    case 'BreakStatement':
    case 'ContinueStatement':
      return [{ ...span, k: 'leave' }];
    case 'IfStatement':
      return [
        {
          ...span,
          k: 'if',
          test: value('test'),
          consequent: block(one(node, 'consequent')),
          otherwise: block(one(node, 'alternate')),
        },
      ];
    case 'BlockStatement':
      return [{ ...span, k: 'block', body: statements(many(node, 'body')) }];
    case 'LabeledStatement':
      return block(one(node, 'body'));
    case 'ForStatement':
    case 'WhileStatement':
    case 'DoWhileStatement': {
      const first = one(node, 'init');
      const init: Stmt[] = first
        ? first.type === 'VariableDeclaration'
          ? statement(first)
          : [{ ...at(first), k: 'expr', value: expression(first, span) }]
        : [];
      const test = maybe('test');
      const update = maybe('update');
      return [
        ...init,
        {
          ...span,
          k: 'loop',
          ...(test ? { test } : {}),
          ...(update ? { update } : {}),
          body: block(one(node, 'body')),
        },
      ];
    }
    case 'ForOfStatement':
    case 'ForInStatement': {
      const left = one(node, 'left');
      const target = left?.type === 'VariableDeclaration' ? one(many(left, 'declarations')[0] ?? left, 'id') : left;
      return [
        {
          ...span,
          k: 'loop',
          target: expression(target, span),
          iter: value('right'),
          over: node.type === 'ForInStatement' ? 'in' : 'of',
          body: block(one(node, 'body')),
        },
      ];
    }
    case 'SwitchStatement':
      return [
        {
          ...span,
          k: 'switch',
          value: value('discriminant'),
          cases: many(node, 'cases').map((branch) => {
            const test = one(branch, 'test');
            return { test: test && expression(test, span), body: statements(many(branch, 'consequent')) };
          }),
        },
      ];
    case 'TryStatement': {
      const handler = one(node, 'handler');
      const param = handler && one(handler, 'param');
      return [
        {
          ...span,
          k: 'try',
          body: block(one(node, 'block')),
          handlers: handler
            ? [
                {
                  types: [],
                  name: param && expression(param, span),
                  body: block(one(handler, 'body')),
                  span: at(handler),
                },
              ]
            : [],
          last: block(one(node, 'finalizer')),
        },
      ];
    }
    case 'ImportDeclaration':
      return [
        {
          ...span,
          k: 'import',
          module: word(one(node, 'source'), 'value'),
          names: many(node, 'specifiers').map(specifier),
          level: 0,
        },
      ];
    case 'ExportNamedDeclaration':
    case 'ExportDefaultDeclaration':
    case 'TSExportAssignment':
      return exported(node);
    case 'ExportAllDeclaration':
      return [{ ...span, k: 'reexport', module: word(one(node, 'source'), 'value'), names: [] }];
    case 'TSEnumDeclaration': {
      const members = many(one(node, 'body') ?? node, 'members').map((member): Entry => ({
        key: keyOf(member, 'id'),
        value: expression(one(member, 'initializer'), at(member)),
      }));
      const id = expression(one(node, 'id'), span);
      return [
        {
          ...span,
          k: 'expr',
          value: {
            ...span,
            k: 'assign',
            op: '=',
            declares: true,
            target: id,
            value: { ...span, k: 'object', entries: members },
          },
        },
      ];
    }
    case 'TSModuleDeclaration':
      return block(one(node, 'body'));
    case 'TSModuleBlock':
      return statements(many(node, 'body'));
    default:
      return [];
  }
}

function specifier(node: EsNode): ImportedName {
  const local = word(one(node, 'local'), 'name');
  if (node.type === 'ImportNamespaceSpecifier') return { imported: '*', local };
  if (node.type === 'ImportDefaultSpecifier') return { imported: 'default', local };
  const imported = one(node, 'imported');
  return { imported: word(imported, 'name') || word(imported, 'value'), local };
}

function exported(node: EsNode): Stmt[] {
  const span = at(node);
  const isDefault = node.type !== 'ExportNamedDeclaration';
  const inner = one(
    node,
    isDefault ? (node.type === 'TSExportAssignment' ? 'expression' : 'declaration') : 'declaration',
  );
  if (!inner) {
    const names = many(node, 'specifiers').map((part): ImportedName => {
      const [from, to] = [one(part, 'local'), one(part, 'exported')];
      return { imported: word(from, 'name') || word(from, 'value'), local: word(to, 'name') || word(to, 'value') };
    });
    const source = one(node, 'source');
    if (source) return [{ ...span, k: 'reexport', module: word(source, 'value'), names }];
    return names.map(({ imported, local }) => ({
      ...span,
      k: 'export',
      exported: local,
      value: { ...span, k: 'name', name: imported },
    }));
  }
  const made = /Declaration$/.test(inner.type) ? statement(inner) : [];
  for (const part of made) if (part.k === 'func') part.fn.exported = true;
  if (isDefault) {
    const name = word(one(inner, 'id'), 'name');
    if (made.length > 0 && name !== '')
      return [...made, { ...span, k: 'export', exported: 'default', value: { ...span, k: 'name', name } }];
    const value: Expr =
      inner.type === 'FunctionDeclaration'
        ? { ...at(inner), k: 'func', fn: { ...func(inner, ''), exported: true } }
        : inner.type === 'ClassDeclaration'
          ? { ...at(inner), k: 'class', cls: klass(inner) }
          : expression(inner, span);
    if (value.k === 'func') value.fn.exported = true;
    return [{ ...span, k: 'export', exported: 'default', value }];
  }
  const names = made.flatMap((part): string[] => {
    if (part.k === 'func') return [part.fn.name];
    if (part.k === 'class') return [part.cls.name];
    return part.k === 'expr' && part.value.k === 'assign' ? namesIn(part.value.target) : [];
  });
  for (const part of made)
    if (part.k === 'expr' && part.value.k === 'assign' && part.value.value.k === 'func')
      part.value.value.fn.exported = true;
  return [
    ...made,
    ...names.map((name): Stmt => ({ ...span, k: 'export', exported: name, value: { ...span, k: 'name', name } })),
  ];
}

/** Every name that a pattern binds. */
export function namesIn(target: Expr): string[] {
  switch (target.k) {
    case 'name':
      return [target.name];
    case 'default':
      return namesIn(target.target);
    case 'object':
      return target.entries.flatMap(({ value }) => namesIn(value));
    case 'list':
      return target.items.flatMap(({ value }) => namesIn(value));
    default:
      return [];
  }
}

function declaration(node: EsNode): (Expr & { k: 'assign' })[] {
  return many(node, 'declarations').map((declarator) => {
    const span = at(declarator);
    const init = one(declarator, 'init');
    return {
      ...span,
      k: 'assign',
      op: init ? '=' : '',
      declares: true,
      target: expression(one(declarator, 'id'), span),
      value: expression(init, span, word(one(declarator, 'id'), 'name')),
    };
  });
}

function keyOf(node: EsNode, field = 'key'): string | undefined {
  const key = one(node, field);
  if (!key) return undefined;
  if (node['computed'] === true && key.type !== 'Literal') return undefined;
  if (key.type === 'Literal') return String(key['value']);
  return word(key, 'name') || undefined;
}

function func(node: EsNode, name: string): Func {
  const body = one(node, 'body');
  const isExpression = body !== undefined && body.type !== 'BlockStatement' && body.type !== 'FunctionBody';
  const lines: Stmt[] = !body
    ? []
    : isExpression
      ? [{ ...at(body), k: 'return', value: expression(body, at(body)) }]
      : statements(many(body, 'body').length > 0 ? many(body, 'body') : many(body, 'statements'));
  const params = many(node, 'params');
  return {
    ...at(node),
    name: name || word(one(node, 'id'), 'name'),
    params: params.map(parameter),
    body: lines,
    decorators: decorators(node),
    async: node['async'] === true,
    exported: false,
  };
}

const decorators = (node: EsNode): Expr[] =>
  many(node, 'decorators').map((part) => expression(one(part, 'expression'), at(part)));

function parameter(node: EsNode): Parameter {
  const inner = node.type === 'TSParameterProperty' ? (one(node, 'parameter') ?? node) : node;
  const target =
    inner.type === 'AssignmentPattern'
      ? one(inner, 'left')
      : inner.type === 'RestElement'
        ? one(inner, 'argument')
        : inner;
  const type = typeName(target && one(target, 'typeAnnotation'));
  const initial = inner.type === 'AssignmentPattern' ? expression(one(inner, 'right'), at(inner)) : undefined;
  return {
    target: expression(target, at(inner)),
    ...(initial ? { initial } : {}),
    ...(inner.type === 'RestElement' ? { rest: true } : {}),
    ...(type === undefined ? {} : { type }),
    decorators: [...decorators(node), ...(inner === node ? [] : decorators(inner))],
  };
}

const SIMPLE_TYPES: Readonly<Record<string, string>> = {
  TSNumberKeyword: 'number',
  TSBooleanKeyword: 'boolean',
  TSBigIntKeyword: 'number',
  TSStringKeyword: 'string',
  TSLiteralType: 'literal',
};

function typeName(annotation: EsNode | undefined): string | undefined {
  const type = annotation && (one(annotation, 'typeAnnotation') ?? annotation);
  if (!type) return undefined;
  if (type.type === 'TSTypeReference') {
    const name = one(type, 'typeName');
    return word(name, 'name') || word(name && one(name, 'right'), 'name') || undefined;
  }
  if (type.type === 'TSUnionType') {
    const types = many(type, 'types');
    return types.length > 0 && types.every((one) => one.type === 'TSLiteralType') ? 'literal' : undefined;
  }
  if (type.type === 'TSTypeOperator' && type['operator'] === 'keyof') return 'literal';
  return SIMPLE_TYPES[type.type];
}

function klass(node: EsNode): Class {
  const base = one(node, 'superClass');
  const members = many(one(node, 'body') ?? node, 'body').flatMap((member): Member[] => {
    const value = one(member, 'value');
    const name = keyOf(member) ?? '';
    const shared = { name, isStatic: member['static'] === true, decorators: decorators(member), span: at(member) };
    if (member.type === 'StaticBlock') return [];
    if (value?.type === 'FunctionExpression' && member.type === 'MethodDefinition') {
      const fn = { ...func(value, name), decorators: shared.decorators };
      const own: Member = {
        ...shared,
        value: { ...at(member), k: 'func', fn },
        ...(member['kind'] === 'get' ? { isGetter: true } : {}),
      };
      return [own];
    }
    return [{ ...shared, value: value && expression(value, at(member)) }];
  });
  return {
    ...at(node),
    name: word(one(node, 'id'), 'name'),
    bases: base ? [expression(base, at(node))] : [],
    members,
    decorators: decorators(node),
  };
}

function args(node: EsNode): Argument[] {
  return many(node, 'arguments').map((part) =>
    part.type === 'SpreadElement'
      ? { value: expression(one(part, 'argument'), at(part)), spread: true }
      : { value: expression(part, at(part)) },
  );
}

function literal(node: EsNode): Expr {
  const regex = node['regex'];
  if (typeof regex === 'object' && regex !== null && 'pattern' in regex && 'flags' in regex)
    return { ...at(node), k: 'regex', pattern: String(regex.pattern), flags: String(regex.flags) };
  const value = node['value'];
  const simple: Primitive =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? value
      : value === null
        ? null
        : word(node, 'raw');
  return { ...at(node), k: 'const', value: simple };
}

/** A sum with text in it is text; `a + b + 'c'` is one list of parts. */
function sum(node: EsNode): Expr {
  const operands = [one(node, 'left'), one(node, 'right')].map((part) => expression(part, at(node)));
  const parts = operands.flatMap((part) => (part.k === 'text' ? part.parts : [part]));
  const isText =
    parts.some((part) => part.k === 'const' && typeof part.value === 'string') ||
    operands.some(({ k }) => k === 'text');
  return isText ? { ...at(node), k: 'text', parts } : { ...at(node), k: 'op', op: '+', operands };
}

function template(node: EsNode): Expr {
  const parts: Expr[] = [];
  const expressions = many(node, 'expressions');
  for (const [i, quasi] of many(node, 'quasis').entries()) {
    const value = quasi['value'];
    const cooked =
      typeof value === 'object' && value !== null && 'cooked' in value && typeof value.cooked === 'string'
        ? value.cooked
        : '';
    if (cooked !== '') parts.push({ ...at(quasi), k: 'const', value: cooked });
    const hole = expressions[i];
    if (hole) parts.push(expression(hole, at(hole)));
  }
  const [only] = parts;
  if (parts.length === 0) return { ...at(node), k: 'const', value: '' };
  return parts.length === 1 && only?.k === 'const' ? { ...only, ...at(node) } : { ...at(node), k: 'text', parts };
}

function entries(node: EsNode): Entry[] {
  return many(node, 'properties').map((part): Entry => {
    if (part.type === 'SpreadElement' || part.type === 'RestElement')
      return { key: undefined, value: expression(one(part, 'argument'), at(part)), spread: true };
    const key = keyOf(part);
    const computed = key === undefined ? one(part, 'key') : undefined;
    return {
      key,
      ...(computed ? { computed: expression(computed, at(part)) } : {}),
      value: expression(one(part, 'value'), at(part), key),
    };
  });
}

function expression(node: EsNode | undefined, span: Span, name = ''): Expr {
  if (!node) return { ...span, k: 'other', children: [] };
  const here = at(node);
  const value = (field: string): Expr => expression(one(node, field), here);
  switch (node.type) {
    case 'Identifier':
    case 'JSXIdentifier':
      return { ...here, k: 'name', name: word(node, 'name') };
    case 'ThisExpression':
      return { ...here, k: 'name', name: 'this' };
    case 'Super':
      return { ...here, k: 'name', name: 'super' };
    case 'Literal':
      return literal(node);
    case 'TemplateLiteral':
      return template(node);
    case 'TaggedTemplateExpression': {
      const quasi = one(node, 'quasi');
      // The tag sees the parts and can escape them.
      const holes = quasi ? many(quasi, 'expressions').map((part) => ({ value: expression(part, here) })) : [];
      const texts = quasi
        ? many(quasi, 'quasis').map((part) => ({ value: { ...at(part), k: 'const', value: '' } as const }))
        : [];
      return {
        ...here,
        k: 'call',
        callee: { ...here, k: 'member', object: value('tag'), name: '`' },
        args: [...texts.slice(0, 1), ...holes],
        isNew: false,
      };
    }
    case 'MemberExpression': {
      const property = one(node, 'property');
      if (node['computed'] !== true)
        return { ...here, k: 'member', object: value('object'), name: word(property, 'name') };
      const index = value('property');
      if (index.k === 'const' && typeof index.value === 'string')
        return { ...here, k: 'member', object: value('object'), name: index.value };
      return { ...here, k: 'index', object: value('object'), index };
    }
    case 'CallExpression':
    case 'NewExpression':
      return { ...here, k: 'call', callee: value('callee'), args: args(node), isNew: node.type === 'NewExpression' };
    case 'ImportExpression':
      return {
        ...here,
        k: 'call',
        callee: { ...here, k: 'name', name: 'import' },
        args: [{ value: value('source') }],
        isNew: false,
      };
    case 'ObjectExpression':
    case 'ObjectPattern':
      return { ...here, k: 'object', entries: entries(node) };
    case 'ArrayExpression':
    case 'ArrayPattern': {
      const items = node['elements'];
      const list = Array.isArray(items) ? (items as unknown[]) : [];
      return {
        ...here,
        k: 'list',
        items: list.map((part): Argument => {
          if (!isNode(part)) return { value: { ...here, k: 'other', children: [] } };
          const isSpread = part.type === 'SpreadElement' || part.type === 'RestElement';
          return isSpread
            ? { value: expression(one(part, 'argument'), at(part)), spread: true }
            : { value: expression(part, at(part)) };
        }),
      };
    }
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return { ...here, k: 'func', fn: func(node, name) };
    case 'ClassExpression':
      return { ...here, k: 'class', cls: klass(node) };
    case 'AssignmentExpression':
      return {
        ...here,
        k: 'assign',
        op: word(node, 'operator'),
        declares: false,
        target: value('left'),
        value: value('right'),
      };
    case 'AssignmentPattern':
      return { ...here, k: 'default', target: value('left'), value: value('right') };
    case 'BinaryExpression':
      return word(node, 'operator') === '+'
        ? sum(node)
        : { ...here, k: 'op', op: word(node, 'operator'), operands: [value('left'), value('right')] };
    case 'LogicalExpression':
      return { ...here, k: 'op', op: word(node, 'operator'), operands: [value('left'), value('right')] };
    case 'UnaryExpression':
    case 'UpdateExpression':
      return { ...here, k: 'op', op: word(node, 'operator'), operands: [value('argument')] };
    case 'ConditionalExpression':
      return {
        ...here,
        k: 'cond',
        test: value('test'),
        consequent: value('consequent'),
        otherwise: value('alternate'),
      };
    case 'AwaitExpression':
      return { ...here, k: 'await', value: value('argument') };
    case 'ParenthesizedExpression':
    case 'ChainExpression':
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
    case 'TSTypeAssertion':
    case 'JSXExpressionContainer':
      return { ...expression(one(node, 'expression'), here, name) };
    case 'SequenceExpression': {
      const all = many(node, 'expressions').map((part) => expression(part, here));
      return { ...here, k: 'op', op: ',', operands: all };
    }
    case 'JSXElement':
    case 'JSXFragment':
      return element(node);
    case 'YieldExpression':
    case 'SpreadElement':
    case 'RestElement':
      return { ...here, k: 'other', children: one(node, 'argument') ? [value('argument')] : [] };
    default:
      return { ...here, k: 'other', children: [] };
  }
}

function element(node: EsNode): Expr {
  const opening = one(node, 'openingElement');
  const name = opening && one(opening, 'name');
  const attributes = opening
    ? many(opening, 'attributes').map((part): Entry => {
        if (part.type === 'JSXSpreadAttribute')
          return { key: undefined, value: expression(one(part, 'argument'), at(part)), spread: true };
        const value = one(part, 'value');
        return {
          key: word(one(part, 'name'), 'name'),
          value: value ? expression(value, at(part)) : { ...at(part), k: 'const', value: true },
        };
      })
    : [];
  const children = many(node, 'children')
    .filter(({ type }) => type !== 'JSXText')
    .map((part) => expression(part, at(part)));
  return { ...at(node), k: 'element', tag: word(name, 'name'), attributes, children };
}
