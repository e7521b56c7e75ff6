import { hasErrors, parseSyntax, type Node } from '../parse/syntax.js';
import type { Class, Expr, Func, Handler, Member, Module, Parameter, Stmt } from './ir.js';
import { at, JavaExpressions, javaType, marksOf, other } from './lower-java-expressions.js';

const TYPES = new Set([
  'class_declaration',
  'interface_declaration',
  'enum_declaration',
  'record_declaration',
  'annotation_type_declaration',
]);

/** Lowers a file of Java. Types go by their simple names; nested ones stand beside the outer one. */
export function lowerJava(path: string, text: string): Module {
  const root = parseSyntax('java', text);
  const body = root.namedChildren().flatMap((node) => topLevel(node));
  return { path, text, language: 'java', body, sound: !hasErrors(root) };
}

function topLevel(node: Node): Stmt[] {
  if (TYPES.has(String(node.kind()))) return new JavaLowering(node).declared();
  if (!node.is('import_declaration')) return [];
  const name = node.namedChildren()[0]?.text() ?? '';
  const last = name.slice(name.lastIndexOf('.') + 1);
  if (node.namedChildren().some((part) => part.is('asterisk'))) return [];
  return [{ ...at(node), k: 'import', module: name, names: [{ imported: '*', local: last }], level: 0 }];
}

const isStatic = (node: Node): boolean =>
  /(^|\s)static(\s|$)/.test(
    node
      .namedChildren()
      .find((part) => part.is('modifiers'))
      ?.text() ?? '',
  );

class JavaLowering {
  readonly #expressions: JavaExpressions;
  /** Names of local variables and parameters of the function that is lowered. */
  #locals = new Set<string>();
  readonly #fields = new Set<string>();

  constructor(readonly node: Node) {
    this.#expressions = new JavaExpressions(
      (name) => this.#fields.has(name) && !this.#locals.has(name),
      (lambda) => this.#func(lambda, ''),
      (body) => this.#members(body),
    );
  }

  declared(): Stmt[] {
    const { node } = this;
    const body = node.field('body');
    for (const field of body?.namedChildren() ?? [])
      if (field.is('field_declaration'))
        for (const one of field.namedChildren())
          if (one.is('variable_declarator')) this.#fields.add(one.field('name')?.text() ?? '');
    const nested = (body?.namedChildren() ?? [])
      .filter((one) => TYPES.has(String(one.kind())))
      .flatMap((one) => new JavaLowering(one).declared());
    const bases = [node.field('superclass'), node.field('interfaces')].flatMap((list) =>
      (list?.namedChildren() ?? [])
        .flatMap((one) => (one.is('type_list') ? one.namedChildren() : [one]))
        .map((one): Expr => ({ ...at(one), k: 'name', name: javaType(one) })),
    );
    const components = node.is('record_declaration') ? (node.field('parameters')?.namedChildren() ?? []) : [];
    const members: Member[] = components.flatMap((one): Member[] => {
      const type = one.field('type');
      const name = one.field('name')?.text() ?? '';
      return type
        ? [{ name, value: undefined, type: javaType(type), isStatic: false, decorators: [], span: at(one) }]
        : [];
    });
    const cls: Class = {
      ...at(node),
      name: node.field('name')?.text() ?? '',
      bases,
      members: [...members, ...(body ? this.#members(body) : [])],
      decorators: marksOf(node).map((mark) => this.#expressions.annotation(mark)),
    };
    return [...nested, { ...at(node), k: 'class', cls }];
  }

  #members(body: Node): Member[] {
    return body.namedChildren().flatMap((node): Member[] => {
      const span = at(node);
      switch (node.kind()) {
        case 'enum_body_declarations':
          return this.#members(node);
        case 'field_declaration': {
          const type = node.field('type');
          return node
            .namedChildren()
            .filter((one) => one.is('variable_declarator'))
            .map((one): Member => {
              const value = one.field('value');
              return {
                name: one.field('name')?.text() ?? '',
                value: value ? this.#expressions.of(value) : undefined,
                ...(type ? { type: javaType(type) } : {}),
                isStatic: isStatic(node),
                decorators: marksOf(node).map((mark) => this.#expressions.annotation(mark)),
                span: at(one),
              };
            });
        }
        case 'constructor_declaration':
        case 'compact_constructor_declaration':
        case 'method_declaration': {
          const made = node.is('method_declaration');
          // Of an interface: what it does stands elsewhere.
          if (made && !node.field('body')) return [];
          const name = made ? (node.field('name')?.text() ?? '') : 'constructor';
          const fn = this.#func(node, name);
          return [
            { name, value: { ...span, k: 'func', fn }, isStatic: isStatic(node), decorators: fn.decorators, span },
          ];
        }
        default:
          return [];
      }
    });
  }

  #func(node: Node, name: string): Func {
    const before = this.#locals;
    this.#locals = new Set(before);
    const parameters = node.field('parameters');
    const params = (parameters?.is('identifier') === true ? [parameters] : (parameters?.namedChildren() ?? [])).flatMap(
      (one) => this.#parameter(one),
    );
    for (const { target } of params) if (target.k === 'name') this.#locals.add(target.name);
    const body = node.field('body');
    const isBlock = body?.is('block') === true || body?.is('constructor_body') === true;
    const lines: Stmt[] = !body
      ? []
      : isBlock
        ? this.#body(body)
        : [{ ...at(body), k: 'return', value: this.#expressions.of(body) }];
    this.#locals = before;
    const modifiers =
      node
        .namedChildren()
        .find((part) => part.is('modifiers'))
        ?.text() ?? '';
    return {
      ...at(node),
      name,
      params,
      body: lines,
      decorators: marksOf(node).map((mark) => this.#expressions.annotation(mark)),
      async: false,
      exported: !node.is('lambda_expression') && !/\bprivate\b/.test(modifiers),
    };
  }

  #parameter(node: Node): Parameter[] {
    const type =
      node.field('type') ??
      (node.is('spread_parameter') ? node.namedChildren().find((one) => /type/.test(String(one.kind()))) : undefined);
    const name = node.is('identifier')
      ? node
      : (node.field('name') ??
        node
          .namedChildren()
          .find((one) => one.is('variable_declarator'))
          ?.field('name'));
    if (!name) return [];
    return [
      {
        target: { ...at(name), k: 'name', name: name.text() },
        ...(type ? { type: javaType(type) } : {}),
        ...(node.is('spread_parameter') ? { rest: true } : {}),
        decorators: marksOf(node).map((mark) => this.#expressions.annotation(mark)),
      },
    ];
  }

  #body(node: Node | null | undefined): Stmt[] {
    return (node?.namedChildren() ?? []).flatMap((child) => this.#statement(child));
  }

  #lines(node: Node | null | undefined): Stmt[] {
    return !node ? [] : node.is('block') ? this.#body(node) : this.#statement(node);
  }

  #statement(node: Node): Stmt[] {
    const span = at(node);
    const expr = (one: Node | null | undefined): Expr => (one ? this.#expressions.of(one) : other(node));
    switch (node.kind()) {
      case 'expression_statement': {
        const [value] = node.namedChildren();
        if (value?.is('switch_expression') === true) return this.#statement(value);
        return value ? [{ ...span, k: 'expr', value: expr(value) }] : [];
      }
      case 'explicit_constructor_invocation':
        return [
          {
            ...span,
            k: 'expr',
            value: other(
              node,
              (node.field('arguments')?.namedChildren() ?? []).map((one) => expr(one)),
            ),
          },
        ];
      case 'local_variable_declaration':
        return this.#variables(node);
      case 'block':
        return [{ ...span, k: 'block', body: this.#body(node) }];
      case 'synchronized_statement':
        return [{ ...span, k: 'block', body: this.#body(node.field('body')) }];
      case 'labeled_statement':
        return this.#body(node);
      case 'return_statement': {
        const [value] = node.namedChildren();
        return [{ ...span, k: 'return', value: value && expr(value) }];
      }
      case 'yield_statement':
      case 'throw_statement':
        return [{ ...span, k: 'throw', value: expr(node.namedChildren()[0]) }];
      case 'break_statement':
      case 'continue_statement':
        return [{ ...span, k: 'leave' }];
      case 'assert_statement':
        return [{ ...span, k: 'expr', value: expr(node.namedChildren()[0]) }];
      case 'if_statement':
        return [
          {
            ...span,
            k: 'if',
            test: expr(node.field('condition')),
            consequent: this.#lines(node.field('consequence')),
            otherwise: this.#lines(node.field('alternative')),
          },
        ];
      case 'enhanced_for_statement': {
        const name = node.field('name');
        if (name) this.#locals.add(name.text());
        return [
          {
            ...span,
            k: 'loop',
            ...(name ? { target: expr(name) } : {}),
            iter: expr(node.field('value')),
            over: 'of',
            body: this.#lines(node.field('body')),
          },
        ];
      }
      case 'for_statement': {
        const [initial, update] = [node.field('init'), node.field('update')];
        const before = !initial
          ? []
          : initial.is('local_variable_declaration')
            ? this.#variables(initial)
            : [{ ...span, k: 'expr' as const, value: expr(initial) }];
        const test = node.field('condition');
        const loop: Stmt = {
          ...span,
          k: 'loop',
          ...(test ? { test: expr(test) } : {}),
          ...(update ? { update: expr(update) } : {}),
          body: this.#lines(node.field('body')),
        };
        return [{ ...span, k: 'block', body: [...before, loop] }];
      }
      case 'while_statement':
        return [{ ...span, k: 'loop', test: expr(node.field('condition')), body: this.#lines(node.field('body')) }];
      case 'do_statement':
        return [{ ...span, k: 'loop', body: this.#lines(node.field('body')) }];
      case 'switch_expression':
      case 'switch_statement':
        return [this.#switch(node)];
      case 'try_statement':
      case 'try_with_resources_statement':
        return this.#attempt(node);
      case 'class_declaration':
      case 'record_declaration':
      case 'interface_declaration':
        return new JavaLowering(node).declared();
      default:
        return [];
    }
  }

  #variables(node: Node): Stmt[] {
    const type = node.field('type');
    const named = type ? javaType(type) : '';
    return node
      .namedChildren()
      .filter((one) => one.is('variable_declarator'))
      .map((one): Stmt => {
        const name = one.field('name');
        const value = one.field('value');
        if (name) this.#locals.add(name.text());
        return {
          ...at(one),
          k: 'expr',
          value: {
            ...at(one),
            k: 'assign',
            op: value ? '=' : '',
            declares: true,
            target: name ? this.#expressions.of(name) : other(one),
            value: value ? this.#expressions.of(value) : other(one),
            ...(named !== '' && named !== 'var' ? { type: named } : {}),
          },
        };
      });
  }

  #switch(node: Node): Stmt {
    const span = at(node);
    const on = node.field('condition');
    const cases = (node.field('body')?.namedChildren() ?? []).flatMap((group) => {
      const labels = group.namedChildren().filter((one) => one.is('switch_label'));
      const tests = labels.flatMap((label): (Expr | undefined)[] =>
        label.namedChildren().length === 0
          ? [undefined]
          : label.namedChildren().map((one) => this.#expressions.of(one)),
      );
      const lines = group.namedChildren().filter((one) => !one.is('switch_label'));
      const isRule = group.is('switch_rule');
      const leave: Stmt = { ...at(group), k: 'leave' };
      const body = [
        ...lines.flatMap((one) => (isRule ? this.#lines(one) : this.#statement(one))),
        ...(isRule ? [leave] : []),
      ];
      return tests.map((test, i) => ({ test, body: i === tests.length - 1 ? body : [] }));
    });
    return { ...span, k: 'switch', value: on ? this.#expressions.of(on) : other(node), cases };
  }

  #attempt(node: Node): Stmt[] {
    const handlers: Handler[] = [];
    let last: Stmt[] = [];
    const opened: Stmt[] = [];
    for (const resource of node.field('resources')?.namedChildren() ?? []) {
      const [name, value, type] = [resource.field('name'), resource.field('value'), resource.field('type')];
      if (!name || !value) continue;
      this.#locals.add(name.text());
      opened.push({
        ...at(resource),
        k: 'expr',
        value: {
          ...at(resource),
          k: 'assign',
          op: '=',
          declares: true,
          target: { ...at(name), k: 'name', name: name.text() },
          value: this.#expressions.of(value),
          ...(type && type.text() !== 'var' ? { type: javaType(type) } : {}),
        },
      });
    }
    for (const child of node.namedChildren()) {
      if (child.is('catch_clause')) {
        const caught = child.namedChildren().find((one) => one.is('catch_formal_parameter'));
        const types = caught?.namedChildren().find((one) => one.is('catch_type'));
        const name = caught?.field('name');
        if (name) this.#locals.add(name.text());
        handlers.push({
          types: (types?.namedChildren() ?? []).map((one) => ({ ...at(one), k: 'name', name: javaType(one) })),
          name: name ? { ...at(name), k: 'name', name: name.text() } : undefined,
          body: this.#body(child.field('body')),
          span: at(child),
        });
      } else if (child.is('finally_clause')) last = this.#body(child.namedChildren().find((one) => one.is('block')));
    }
    return [{ ...at(node), k: 'try', body: [...opened, ...this.#body(node.field('body'))], handlers, last }];
  }
}
