import type { ExprOf } from './ir.js';
import type { Engine } from './engine.js';
import { refine } from './guards.js';
import {
  concat,
  constant,
  isConstant,
  merge,
  mergeTaints,
  NUMBER,
  taintOf,
  UNKNOWN,
  type Frame,
  type Value,
} from './value.js';

/** The value of an operation; computed where all operands are known. */
export function combined(interpreter: Engine, node: ExprOf<'op'>, frame: Frame): Value {
  const [first, second] = node.operands;
  switch (node.op) {
    case '&&':
    case '||':
    case '??': {
      const left = first ? interpreter.value(first, frame) : UNKNOWN;
      const before = frame.vars;
      frame.vars = new Map(before);
      if (first && node.op !== '??') refine(interpreter, first, node.op === '&&', frame);
      const right = second ? interpreter.value(second, frame) : UNKNOWN;
      frame.vars = before;
      if (typeof left.constant === 'boolean' && typeof right.constant === 'boolean')
        return constant(node.op === '&&' ? left.constant && right.constant : left.constant || right.constant);
      return node.op === '&&' ? right : merge(left, right);
    }
    case ',':
      return node.operands.reduce<Value>((_, one) => interpreter.value(one, frame), UNKNOWN);
    case '!': {
      const value = first ? interpreter.value(first, frame).constant : undefined;
      return typeof value === 'boolean' ? constant(!value) : {};
    }
    case 'typeof':
    case 'void':
    case 'delete':
      for (const one of node.operands) interpreter.value(one, frame);
      return UNKNOWN;
    case '-':
      if (node.operands.length === 1 && first) {
        const value = interpreter.value(first, frame).constant;
        return typeof value === 'number' ? constant(-value) : NUMBER;
      }
  }
  const values = node.operands.map((one) => interpreter.value(one, frame));
  const [left = UNKNOWN, right = UNKNOWN] = values;
  if (node.op === '+' || (node.op === '%' && (left.shape !== undefined || taintOf(left)))) {
    const text = node.op === '+' ? sum(left, right) : concat(values);
    if (text.shape !== undefined) interpreter.watcher.text(text, frame, node);
    return text;
  }
  const [a, b] = [left.constant, right.constant];
  if (values.length === 2 && a !== undefined && b !== undefined) {
    const computed = compute(node.op, a, b);
    if (computed !== undefined) return constant(computed);
  }
  if (/^(in|not in|is|is not|instanceof|[=!<>]=?=?)$/.test(node.op)) return {};
  if (node.op === '|' || node.op === '@') return merge(left, right);
  // `Path(a) / b`.
  if (
    node.op === '/' &&
    frame.module.language === 'python' &&
    left.numeric !== true &&
    (taintOf(left) ?? taintOf(right))
  )
    return concat(values);
  if (node.op === '*' && left.items) return left;
  if (node.op === '*' && typeof left.constant === 'string' && typeof right.constant === 'number')
    return constant(left.constant.repeat(Math.min(Math.max(Math.trunc(right.constant), 0), 64)));
  return NUMBER;
}

function sum(left: Value, right: Value): Value {
  if (typeof left.constant === 'number' && typeof right.constant === 'number')
    return constant(left.constant + right.constant);
  if (left.items && right.items) return { items: [...left.items, ...right.items] };
  if (left.shape !== undefined || right.shape !== undefined) return concat([left, right]);
  if (left.numeric === true && (right.numeric === true || isConstant(right))) return NUMBER;
  const taint = mergeTaints(taintOf(left), taintOf(right));
  return taint ? concat([left, right]) : UNKNOWN;
}

function compute(op: string, a: Value['constant'], b: Value['constant']): number | boolean | undefined {
  switch (op) {
    case '==':
    case '===':
    case 'is':
      return a === b;
    case '!=':
    case '!==':
      return a !== b;
  }
  if (typeof a !== 'number' || typeof b !== 'number') return undefined;
  switch (op) {
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return b === 0 ? undefined : a / b;
    case '//':
      return b === 0 ? undefined : Math.floor(a / b);
    case '%':
      return b === 0 ? undefined : a % b;
    case '**':
      return a ** b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '<<':
      return a << b;
    case '|':
      return a | b;
    case '&':
      return a & b;
    default:
      return undefined;
  }
}
