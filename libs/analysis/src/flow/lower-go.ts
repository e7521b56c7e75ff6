import { hasErrors, parseSyntax, type Node } from '../parse/syntax.js';
import { GoExpressions, at, goModule, other } from './lower-go-expressions.js';
import type { Class, Expr, Func, Member, Module, Parameter, Stmt } from './ir.js';

/** Lowers a file of Go. Methods become members of a class that has the name of their receiver's type; the receiver is `this`. */
export function lowerGo(path: string, text: string): Module {
  const root = parseSyntax('go', text);
  return { path, text, language: 'go', body: new GoLowering().file(root), sound: !hasErrors(root) };
}

/** Exported: its name begins with a capital. */
const isPublic = (name: string): boolean => /^\p{Lu}/u.test(name);

class GoLowering {
  readonly #imports = new Map<string, string>();
  readonly #expressions = new GoExpressions(this.#imports, (node) => this.#func(node, ''));
  /** What a name that a test asks for was made of: `ok` of `_, ok := table[key]`, `err` of `err := validate(x)`. */
  #asked = new Map<string, Expr>();

  file(root: Node): Stmt[] {
    const imports: Stmt[] = [];
    const classes = new Map<string, { node: Node; bases: Expr[]; members: Member[] }>();
    const rest: Stmt[] = [];
    const classOf = (name: string, node: Node) => {
      const known = classes.get(name) ?? { node, bases: [], members: [] };
      classes.set(name, known);
      return known;
    };
    for (const node of root.namedChildren()) {
      if (node.is('import_declaration')) imports.push(...this.#import(node));
      else if (node.is('type_declaration')) {
        for (const spec of node.namedChildren()) {
          const name = spec.field('name')?.text();
          const type = spec.field('type');
          if (name === undefined || type?.is('struct_type') !== true) continue;
          const { members, bases } = classOf(name, spec);
          this.#fields(type, members, bases);
        }
      } else if (node.is('method_declaration')) {
        const receiver = node.field('receiver')?.namedChildren()[0];
        const type = receiver?.field('type');
        const own = /([A-Za-z_]\w*)(?:\[[^\]]*\])?$/.exec(type?.text() ?? '')?.[1];
        const name = node.field('name')?.text() ?? '';
        if (own === undefined) continue;
        const fn = this.#func(node, name, receiver?.field('name')?.text());
        const span = at(node);
        classOf(own, node).members.push({
          name,
          value: { ...span, k: 'func', fn },
          isStatic: false,
          decorators: [],
          span,
        });
      } else rest.push(...this.#statement(node));
    }
    const made = [...classes].map(([name, { node, bases, members }]): Stmt => {
      const cls: Class = { ...at(node), name, bases, members, decorators: [] };
      return { ...at(node), k: 'class', cls };
    });
    return [...imports, ...made, ...rest];
  }

  #import(node: Node): Stmt[] {
    return node
      .namedChildren()
      .flatMap((part) => (part.is('import_spec_list') ? part.namedChildren() : [part]))
      .filter((spec) => spec.is('import_spec'))
      .map((spec): Stmt => {
        const path = spec.field('path')?.text().slice(1, -1) ?? '';
        const { module, name } = goModule(path);
        const local = spec.field('name')?.text() ?? name;
        this.#imports.set(local, module);
        return { ...at(spec), k: 'import', module, names: [{ imported: '*', local }], level: 0 };
      });
  }

  #fields(type: Node, members: Member[], bases: Expr[]): void {
    for (const field of type.namedChildren().flatMap((list) => list.namedChildren())) {
      const declared = field.field('type');
      if (!declared) continue;
      const names = field.namedChildren().filter((part) => part.is('field_identifier'));
      const named = this.#expressions.typeName(declared);
      if (names.length === 0) bases.push({ ...at(field), k: 'name', name: named });
      for (const name of names)
        members.push({
          name: name.text(),
          value: undefined,
          type: named,
          isStatic: false,
          decorators: [],
          span: at(field),
        });
    }
  }

  #func(node: Node, name: string, receiver?: string): Func {
    const before = this.#asked;
    this.#asked = new Map(before);
    const span = at(node);
    const body = this.#body(node.field('body'));
    this.#asked = before;
    const self: Stmt[] =
      receiver === undefined || receiver === '_'
        ? []
        : [
            {
              ...span,
              k: 'expr',
              value: {
                ...span,
                k: 'assign',
                op: '=',
                declares: true,
                target: { ...span, k: 'name', name: receiver },
                value: { ...span, k: 'name', name: 'this' },
              },
            },
          ];
    return {
      ...span,
      name,
      params: (node.field('parameters')?.namedChildren() ?? []).flatMap((part) => this.#parameter(part)),
      body: [...self, ...body],
      decorators: [],
      async: false,
      exported: isPublic(name),
    };
  }

  #parameter(node: Node): Parameter[] {
    const type = node.field('type');
    const rest = node.is('variadic_parameter_declaration');
    const names = node.namedChildren().filter((part) => part.is('identifier'));
    const more = {
      decorators: [],
      ...(type ? { type: this.#expressions.typeName(type) } : {}),
      ...(rest ? { rest } : {}),
    };
    if (names.length === 0) return type ? [{ target: { ...at(node), k: 'name', name: '_' }, ...more }] : [];
    return names.map((name) => ({ target: { ...at(name), k: 'name', name: name.text() }, ...more }));
  }

  #body(node: Node | null | undefined): Stmt[] {
    return (node?.namedChildren() ?? []).flatMap((child) => this.#statement(child));
  }

  #statement(node: Node): Stmt[] {
    const span = at(node);
    const expr = (one: Node): Expr => this.#expressions.of(one);
    switch (node.kind()) {
      case 'statement_list':
        return this.#body(node);
      case 'block':
        return [{ ...span, k: 'block', body: this.#body(node) }];
      case 'labeled_statement':
        return this.#body(node);
      case 'expression_statement':
      case 'go_statement':
      case 'defer_statement':
      case 'send_statement':
        return node.namedChildren().map((child) => ({ ...span, k: 'expr', value: expr(child) }));
      case 'function_declaration': {
        const name = node.field('name')?.text() ?? '';
        return [{ ...span, k: 'func', fn: this.#func(node, name) }];
      }
      case 'var_declaration':
      case 'const_declaration':
        return node
          .namedChildren()
          .flatMap((part) => (part.is('var_spec_list') ? part.namedChildren() : [part]))
          .flatMap((spec) => this.#declared(spec));
      case 'short_var_declaration':
      case 'assignment_statement':
      case 'receive_statement':
        return this.#assigned(node, node.is('short_var_declaration'));
      case 'inc_statement':
      case 'dec_statement': {
        const [target] = node.namedChildren();
        const one: Expr = { ...span, k: 'const', value: 1 };
        return target
          ? [
              {
                ...span,
                k: 'expr',
                value: { ...span, k: 'assign', op: '-=', declares: false, target: expr(target), value: one },
              },
            ]
          : [];
      }
      case 'return_statement': {
        const values = node
          .namedChildren()
          .flatMap((list) => (list.is('expression_list') ? list.namedChildren() : [list]));
        const [only] = values;
        const value: Expr | undefined =
          values.length > 1
            ? { ...span, k: 'list', items: values.map((one) => ({ value: expr(one) })) }
            : only && expr(only);
        return [{ ...span, k: 'return', value }];
      }
      case 'break_statement':
      case 'continue_statement':
      case 'goto_statement':
        return [{ ...span, k: 'leave' }];
      case 'if_statement':
        return this.#branch(node);
      case 'for_statement':
        return [this.#loop(node)];
      case 'expression_switch_statement':
      case 'type_switch_statement':
      case 'select_statement':
        return this.#switch(node);
      default:
        return [];
    }
  }

  #declared(spec: Node): Stmt[] {
    const span = at(spec);
    const names = spec.namedChildren().filter((part) => part.is('identifier'));
    const type = spec.field('type');
    const value = spec.field('value');
    const values = value?.is('expression_list') === true ? value.namedChildren() : value ? [value] : [];
    if (values.length === 1 && names.length > 1 && values[0])
      return this.#split(
        spec,
        names.map((name) => this.#expressions.of(name)),
        values[0],
        true,
      );
    return names.map((name, i): Stmt => {
      const given = values[i];
      const made = given ? this.#expressions.of(given) : type ? this.#expressions.zero(type) : other(spec);
      return {
        ...span,
        k: 'expr',
        value: {
          ...span,
          k: 'assign',
          op: '=',
          declares: true,
          target: this.#expressions.of(name),
          value: made,
          ...(type ? { type: this.#expressions.typeName(type) } : {}),
        },
      };
    });
  }

  #assigned(node: Node, declares: boolean): Stmt[] {
    const span = at(node);
    const left = node.field('left')?.namedChildren() ?? [];
    const right = node.field('right');
    const values = right?.is('expression_list') === true ? right.namedChildren() : right ? [right] : [];
    const targets = left.map((one) => this.#expressions.of(one));
    const op = node.field('operator')?.text() ?? '=';
    const [only] = values;
    if (targets.length > 1 && values.length === 1 && only) return this.#split(node, targets, only, declares);
    return targets.flatMap((target, i): Stmt[] => {
      const value = values[i];
      if (!value) return [];
      const made = this.#expressions.of(value);
      this.#remember(target, made);
      return [
        {
          ...span,
          k: 'expr',
          value: { ...span, k: 'assign', op: op === ':=' ? '=' : op, declares, target, value: made },
        },
      ];
    });
  }

  /** `v, err := f()`, `v, ok := table[key]`, `v, ok := x.(T)`. */
  #split(node: Node, targets: readonly Expr[], value: Node, declares: boolean): Stmt[] {
    const span = at(node);
    const made = this.#expressions.of(value);
    const [, second] = targets;
    if (second && made.k === 'index')
      this.#remember(second, {
        ...at(value),
        k: 'call',
        callee: { ...at(value), k: 'member', object: made.object, name: 'has' },
        args: [{ value: made.index }],
        isNew: false,
      });
    else {
      const last = targets.at(-1);
      if (last) this.#remember(last, made);
    }
    const single = made.k === 'index' || value.is('type_assertion_expression') || value.is('unary_expression');
    const target: Expr = single
      ? (targets[0] ?? other(node))
      : { ...span, k: 'list', items: targets.map((one) => ({ value: one })) };
    return [{ ...span, k: 'expr', value: { ...span, k: 'assign', op: '=', declares, target, value: made } }];
  }

  #remember(target: Expr, made: Expr): void {
    if (target.k !== 'name') return;
    if (made.k === 'call') this.#asked.set(target.name, made);
    else this.#asked.delete(target.name);
  }

  /** A test as what it asks: `ok` and `err == nil` say how a look-up or a check came out. */
  #test(node: Node | null, around: Node): Expr {
    if (!node) return other(around);
    const test = this.#expressions.of(node);
    return this.#askedOf(test);
  }

  #askedOf(test: Expr): Expr {
    if (test.k === 'name') return this.#asked.get(test.name) ?? test;
    if (test.k !== 'op') return test;
    const [left, right] = test.operands;
    if (/^(!|&&|\|\|)$/.test(test.op)) return { ...test, operands: test.operands.map((one) => this.#askedOf(one)) };
    if (/^[!=]=$/.test(test.op) && left?.k === 'name' && right?.k === 'const' && right.value === null) {
      const made = this.#asked.get(left.name);
      const name =
        made?.k === 'call' ? (made.callee.k === 'member' || made.callee.k === 'name' ? made.callee.name : '') : '';
      if (made && /^(validate|verify|check|ensure|assert|allow|isvalid|sanitize)/i.test(name))
        return test.op === '==' ? made : { ...test, op: '!', operands: [made] };
    }
    return test;
  }

  #branch(node: Node): Stmt[] {
    const initial = node.field('initializer');
    const before = initial ? this.#statement(initial) : [];
    const alternative = node.field('alternative');
    const otherwise = alternative?.is('if_statement') === true ? this.#branch(alternative) : this.#body(alternative);
    return [
      ...before,
      {
        ...at(node),
        k: 'if',
        test: this.#test(node.field('condition'), node),
        consequent: this.#body(node.field('consequence')),
        otherwise,
      },
    ];
  }

  #loop(node: Node): Stmt {
    const span = at(node);
    const [head] = node.namedChildren();
    const body = this.#body(node.field('body'));
    if (head?.is('range_clause') === true) {
      const [key, value] =
        head
          .field('left')
          ?.namedChildren()
          .map((one) => this.#expressions.of(one)) ?? [];
      const iter = head.field('right');
      const over = iter ? this.#expressions.of(iter) : other(node);
      const hasValue = value !== undefined && !(value.k === 'name' && value.name === '_');
      // Of an index nothing is known; a lone variable runs over keys.
      const index: Stmt[] =
        hasValue && key
          ? [
              {
                ...span,
                k: 'expr',
                value: { ...span, k: 'assign', op: '=', declares: true, target: key, value: other(head) },
              },
            ]
          : [];
      const target = hasValue ? value : key;
      return {
        ...span,
        k: 'loop',
        ...(target ? { target } : {}),
        iter: over,
        over: hasValue ? 'of' : 'in',
        body: [...index, ...body],
      };
    }
    if (head?.is('for_clause') === true) {
      const [initial, test, update] = [head.field('initializer'), head.field('condition'), head.field('update')];
      const before = initial ? this.#statement(initial) : [];
      const after = update ? this.#statement(update) : [];
      return {
        ...span,
        k: 'block',
        body: [
          ...before,
          { ...span, k: 'loop', ...(test ? { test: this.#expressions.of(test) } : {}), body: [...body, ...after] },
        ],
      };
    }
    const test = head && !head.is('block') ? this.#expressions.of(head) : undefined;
    return { ...span, k: 'loop', ...(test ? { test } : {}), body };
  }

  #switch(node: Node): Stmt[] {
    const span = at(node);
    const initial = node.field('initializer');
    const before = initial ? this.#statement(initial) : [];
    const on = node.field('value');
    const groups = node
      .namedChildren()
      .filter((part) => /_case$/.test(String(part.kind())))
      .map((part) => this.#case(part));
    const alias = node.field('alias')?.namedChildren()[0];
    if (alias && on)
      before.push({
        ...span,
        k: 'expr',
        value: {
          ...span,
          k: 'assign',
          op: '=',
          declares: true,
          target: this.#expressions.of(alias),
          value: this.#expressions.of(on),
        },
      });
    if (!on && node.is('expression_switch_statement')) {
      // Without a value it is a chain of tests.
      let chain: Stmt[] = groups.find(({ isDefault }) => isDefault)?.body ?? [];
      for (const { tests, body, span: own } of groups.filter(({ isDefault }) => !isDefault).reverse()) {
        const [first, ...more] = tests;
        if (!first) continue;
        const test = more.reduce<Expr>((all, one) => ({ ...own, k: 'op', op: '||', operands: [all, one] }), first);
        chain = [{ ...own, k: 'if', test: this.#askedOf(test), consequent: body, otherwise: chain }];
      }
      return [...before, ...chain];
    }
    const isExpression = node.is('expression_switch_statement');
    const cases = groups.flatMap(
      ({ tests, body, span: own, falls, isDefault }): { test: Expr | undefined; body: Stmt[] }[] => {
        const leave: Stmt = { ...own, k: 'leave' };
        const whole = falls ? body : [...body, leave];
        if (isDefault || !isExpression || tests.length === 0) return [{ test: undefined, body: whole }];
        return tests.map((test, i) => ({ test, body: i === tests.length - 1 ? whole : [] }));
      },
    );
    return [
      ...before,
      { ...span, k: 'switch', value: on && isExpression ? this.#expressions.of(on) : other(node), cases },
    ];
  }

  #case(node: Node): { tests: Expr[]; body: Stmt[]; span: Expr; falls: boolean; isDefault: boolean } {
    const received = node.namedChildren().find((part) => part.is('receive_statement'));
    const lines = node.namedChildren().find((part) => part.is('statement_list'));
    const last = lines?.namedChildren().at(-1);
    return {
      tests: (node.field('value')?.namedChildren() ?? []).map((one) => this.#expressions.of(one)),
      body: [...(received ? this.#assigned(received, true) : []), ...this.#body(lines)],
      span: other(node),
      falls: last?.is('fallthrough_statement') === true,
      isDefault: node.is('default_case'),
    };
  }
}
