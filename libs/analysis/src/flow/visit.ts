import type { Class, Expr, Func, Module, Stmt } from './ir.js';

export interface Visitor {
  statement(node: Stmt): void;
  expression(node: Expr, parents: readonly (Expr | Stmt)[]): void;
}

/** Goes over every statement and expression of a module, outer ones first. */
export function visit(module: Module, visitor: Visitor): void {
  const parents: (Expr | Stmt)[] = [];
  const all = (body: readonly Stmt[]): void => {
    for (const one of body) statement(one);
  };
  const func = (fn: Func): void => {
    for (const mark of fn.decorators) expression(mark);
    for (const { target, initial, decorators } of fn.params) {
      for (const mark of decorators) expression(mark);
      expression(target);
      if (initial) expression(initial);
    }
    all(fn.body);
  };
  const klass = (cls: Class): void => {
    for (const one of [...cls.decorators, ...cls.bases]) expression(one);
    for (const { value, decorators } of cls.members) {
      if (value?.k !== 'func') for (const mark of decorators) expression(mark);
      if (value) expression(value);
    }
  };
  const maybe = (node: Expr | undefined): void => {
    if (node) expression(node);
  };
  const statement = (node: Stmt): void => {
    visitor.statement(node);
    parents.push(node);
    switch (node.k) {
      case 'expr':
      case 'export':
        expression(node.value);
        break;
      case 'return':
      case 'throw':
        maybe(node.value);
        break;
      case 'if':
        expression(node.test);
        all(node.consequent);
        all(node.otherwise);
        break;
      case 'loop':
        maybe(node.target);
        maybe(node.iter);
        maybe(node.test);
        maybe(node.update);
        all(node.body);
        break;
      case 'try':
        all(node.body);
        for (const handler of node.handlers) all(handler.body);
        all(node.last);
        break;
      case 'func':
        func(node.fn);
        break;
      case 'class':
        klass(node.cls);
        break;
      case 'block':
        all(node.body);
        break;
      case 'switch':
        expression(node.value);
        for (const { test, body } of node.cases) {
          maybe(test);
          all(body);
        }
        break;
      case 'assert':
        expression(node.test);
        break;
      default:
        break;
    }
    parents.pop();
  };
  const expression = (node: Expr): void => {
    visitor.expression(node, parents);
    parents.push(node);
    for (const child of childrenOf(node)) expression(child);
    if (node.k === 'func') func(node.fn);
    if (node.k === 'class') klass(node.cls);
    parents.pop();
  };
  all(module.body);
}

/** The expressions directly inside of one. */
function childrenOf(node: Expr): readonly Expr[] {
  switch (node.k) {
    case 'text':
      return node.parts;
    case 'member':
      return [node.object];
    case 'index':
      return [node.object, node.index];
    case 'call':
      return [node.callee, ...node.args.map(({ value }) => value)];
    case 'object':
      return node.entries.flatMap(({ computed, value }) => (computed ? [computed, value] : [value]));
    case 'list':
      return node.items.map(({ value }) => value);
    case 'assign':
    case 'default':
      return [node.target, node.value];
    case 'op':
      return node.operands;
    case 'cond':
      return [node.test, node.consequent, node.otherwise];
    case 'await':
      return [node.value];
    case 'element':
      return [...node.attributes.map(({ value }) => value), ...node.children];
    case 'each':
      return [node.target, node.iter, ...(node.test ? [node.test] : []), node.value];
    case 'other':
      return node.children;
    default:
      return [];
  }
}
