import type { FindingClass } from '@devmesh/contracts/finding';
import type { Expr, ExprOf } from './ir.js';
import type { Engine } from './engine.js';
import { lookup, pathOf } from './places.js';
import { clear, constant, isConstant, merge, UNKNOWN, type Frame, type Station, type Value } from './value.js';

const PLACES: readonly FindingClass[] = ['path-traversal', 'ssrf', 'open-redirect'];

/** What a test that came out as `sense` says of the values in it: a value that was compared with known ones is harmless after it. */
export function refine(interpreter: Engine, test: Expr, sense: boolean, frame: Frame): void {
  if (test.k === 'await') return refine(interpreter, test.value, sense, frame);
  if (test.k === 'assign') return refine(interpreter, test.value, sense, frame);
  if (test.k === 'call') return refineCall(interpreter, test, sense, frame);
  // `if (parsed.netloc) refuse`: without a host it is a place of this site.
  if (test.k === 'member' && /^(netloc|hostname|host)$/.test(test.name) && !sense)
    return harmless(interpreter, test.object, ['open-redirect', 'ssrf'], frame);
  if (test.k !== 'op') return;
  const [left, right] = test.operands;
  switch (test.op) {
    case '!':
      if (left) refine(interpreter, left, !sense, frame);
      return;
    case '&&':
    case '||':
      if (sense === (test.op === '&&')) for (const one of test.operands) refine(interpreter, one, sense, frame);
      else refineEither(interpreter, test.operands, sense, frame);
      return;
  }
  if (!left || !right) return;
  const equal = /^(===?|is)$/.test(test.op) ? sense : /^(!==?|is not)$/.test(test.op) ? !sense : undefined;
  if (equal !== undefined) return refineEqual(interpreter, left, right, equal, frame);
  if (test.op === 'in' || test.op === 'not in') {
    const member = (test.op === 'in') === sense;
    const text = left.k === 'const' ? String(left.value) : undefined;
    if (text !== undefined) {
      if (!member && /\.\.|\/|\\/.test(text)) harmless(interpreter, right, ['path-traversal'], frame);
      return;
    }
    if (member && !interpreter.value(right, frame).taint) harmless(interpreter, left, 'all', frame);
    return;
  }
  // A number that was compared with a bound fits.
  if (/^[<>]=?$/.test(test.op)) {
    for (const one of [left, right]) {
      const path = pathOf(one);
      const value = path === undefined ? undefined : interpreter.value(one, frame);
      if (path !== undefined && value?.numeric === true && value.ref?.startsWith('strconv.') === true)
        set(frame, path, { numeric: true });
    }
  }
  // `list.indexOf(x) >= 0`, `> -1`.
  if (/^[<>]=?$/.test(test.op) && left.k === 'call' && right.k !== 'call') {
    const found = test.op.startsWith('>') ? sense : !sense;
    if (/^(indexOf|search|lastIndexOf)$/.test(methodOf(left))) refineCall(interpreter, left, found, frame);
  }
}

/** One of the operands came out as `sense`: what each of them alone would make harmless is harmless. */
function refineEither(interpreter: Engine, operands: readonly Expr[], sense: boolean, frame: Frame): void {
  const before = frame.vars;
  const ways = operands.map((one) => {
    frame.vars = new Map(before);
    refine(interpreter, one, sense, frame);
    return frame.vars;
  });
  frame.vars = before;
  for (const name of ways[0]?.keys() ?? []) {
    const values = ways.map((vars) => vars.get(name));
    if (values.some((value) => !value || value === before.get(name))) continue;
    before.set(
      name,
      values.reduce<Value>((all, one) => (all === UNKNOWN ? (one ?? UNKNOWN) : merge(all, one)), UNKNOWN),
    );
  }
}

/** `validateName(name);` as a statement of its own throws for what is not valid: what comes after it is. */
export function affirm(interpreter: Engine, node: Expr, frame: Frame): void {
  const call = node.k === 'await' ? node.value : node;
  if (call.k !== 'call' || !/^_?(validate|check|assert|ensure|verify)(_|[A-Z])/.test(methodOf(call))) return;
  for (const { value } of call.args) if (pathOf(value) !== undefined) harmless(interpreter, value, 'all', frame);
}

const methodOf = (node: ExprOf<'call'>): string =>
  node.callee.k === 'member' ? node.callee.name : node.callee.k === 'name' ? node.callee.name : '';

/** Where this page is: an address with the same is of this site. */
const OWN_PLACE = /(^|\.)location\.(host|hostname|origin)$/;

function refineEqual(interpreter: Engine, left: Expr, right: Expr, equal: boolean, frame: Frame): void {
  for (const [one, other] of [
    [left, right],
    [right, left],
  ] as const) {
    if (one.k === 'op' && one.op === 'typeof' && one.operands[0] && other.k === 'const' && equal) {
      harmless(
        interpreter,
        one.operands[0],
        other.value === 'string' ? ['nosql-injection'] : other.value === 'object' ? [] : 'all',
        frame,
      );
      return;
    }
    const known = interpreter.value(other, frame);
    if (one.k === 'call') {
      // `list.indexOf(x) === -1`, `path.indexOf(root) === 0`.
      if (/^indexOf$/.test(methodOf(one)) && (known.constant === -1 || known.constant === 0))
        refineCall(interpreter, one, known.constant === 0 ? equal : !equal, frame);
      // `os.path.commonpath([root, full]) == root`
      if (/^common(path|prefix)$/.test(methodOf(one)) && equal)
        for (const { value } of one.args)
          for (const item of value.k === 'list' ? value.items : [{ value }])
            harmless(interpreter, item.value, PLACES, frame);
      continue;
    }
    const path = pathOf(one);
    if (path !== undefined && equal && OWN_PLACE.test(pathOf(other) ?? '') && /\.(host|hostname|origin)$/.test(path)) {
      harmless(interpreter, one.k === 'member' ? one.object : one, ['ssrf', 'open-redirect'], frame);
      return;
    }
    if (path === undefined || !equal || known.taint) continue;
    const value = interpreter.value(one, frame);
    if (value.constant !== undefined || value.closures || value.instance) continue;
    if (known.constant !== undefined && known.constant !== null)
      set(frame, path, { ...value, ...constant(known.constant), taint: undefined });
    // `url.hostname === allowed`: the rest of the same data is bound to that place.
    if (!value.taint) continue;
    if (/\.(host|hostname|origin|netloc)$/.test(path))
      harmless(interpreter, one.k === 'member' ? one.object : one, ['ssrf', 'open-redirect'], frame);
    else if (known.constant === undefined && known.ref !== undefined) set(frame, path, clear(value, 'all'));
  }
}

const VALID =
  /^_?(is_?(valid|safe|allowed|whitelisted|local|trusted|internal|alpha|numeric|alnum|digit|decimal|uuid|email|int|identifier|finite|integer|safeinteger|mongoid|objectid)\w*|(validate|verify|check|ensure|assert|allow)\w*|url_has_allowed_host_and_scheme|has|hasOwn|hasOwnProperty|isdigit|isalnum|isalpha|isnumeric|isidentifier|isdecimal|fullmatch|match|test)$/i;

function refineCall(interpreter: Engine, node: ExprOf<'call'>, sense: boolean, frame: Frame): void {
  const method = methodOf(node);
  const receiver = node.callee.k === 'member' ? node.callee.object : undefined;
  const first = node.args[0]?.value;
  const second = node.args[1]?.value;
  const literal = first?.k === 'const' ? String(first.value) : undefined;
  if (/^(includes|has|indexOf|contains|hasOwnProperty|hasOwn|__contains__|some)$/.test(method)) {
    if (literal !== undefined && receiver) {
      if (!sense && /\.\.|\/|\\/.test(literal)) harmless(interpreter, receiver, ['path-traversal'], frame);
      return;
    }
    const member = method === 'hasOwn' ? second : first;
    if (sense && member && receiver && !interpreter.value(receiver, frame).taint)
      harmless(interpreter, member, 'all', frame);
    // `file.indexOf(root)`: only with what it begins with.
    else if (sense && method === 'indexOf' && receiver) harmless(interpreter, receiver, PLACES, frame);
    return;
  }
  if (/^(startsWith|startswith|is_relative_to|isRelativeTo)$/.test(method) && receiver) {
    // Text that begins with "/" may still leave the folder; it names no other host, if it isn't "//".
    const classes: readonly FindingClass[] = literal === '..' || literal === '.' ? ['path-traversal'] : PLACES;
    const bad = literal !== undefined && /^(\.|\/\/|http)/.test(literal);
    if (sense !== bad || (literal?.startsWith('http') === true && literal.length > 10))
      harmless(interpreter, receiver, classes, frame);
    return;
  }
  if (/^(isNaN|isnan)$/.test(method)) {
    if (!sense && first) harmless(interpreter, first, 'all', frame);
    return;
  }
  if (/^(test|match|fullmatch|search|exec)$/.test(method)) return refinePattern(interpreter, node, sense, frame);
  if (/^(isdigit|isalnum|isalpha|isnumeric|isidentifier|isdecimal)$/.test(method) && receiver) {
    if (sense) harmless(interpreter, receiver, 'all', frame);
    return;
  }
  if (method === 'isinstance' && first && second) {
    const types = pathOf(second) ?? '';
    if (sense) harmless(interpreter, first, /^(int|float|bool)$/.test(types) ? 'all' : ['nosql-injection'], frame);
    return;
  }
  if (method === 'isAbsolute' || method === 'isabs') {
    return;
  }
  if (VALID.test(method) && sense) for (const { value } of node.args) harmless(interpreter, value, 'all', frame);
}

/** A pattern that holds the whole text, or one that finds what is not allowed. */
function refinePattern(interpreter: Engine, node: ExprOf<'call'>, sense: boolean, frame: Frame): void {
  if (node.callee.k !== 'member') return;
  const values = [node.callee.object, ...node.args.map(({ value }) => value)];
  let pattern: string | undefined;
  for (const one of values) {
    const value = interpreter.value(one, frame);
    pattern ??=
      value.regex?.pattern ?? (frame.module.language === 'python' ? value.items?.[0]?.regex?.pattern : undefined);
    if (pattern === undefined && typeof value.constant === 'string' && /[\^$[\\]/.test(value.constant))
      pattern = value.constant;
  }
  const method = node.callee.name;
  const whole =
    pattern !== undefined &&
    (/^\^/.test(pattern) || method === 'fullmatch' || (method === 'match' && frame.module.language === 'python')) &&
    (/(\$|\\Z)$/.test(pattern) || method === 'fullmatch');
  const forbids = pattern !== undefined && /^\(?\[\^/.test(pattern);
  const unknown = pattern === undefined;
  for (const one of values) {
    const value = interpreter.value(one, frame);
    if (isConstant(value)) continue;
    if (sense && (whole || unknown) && !/^\^?\.[*+]\$?$/.test(pattern ?? '')) harmless(interpreter, one, 'all', frame);
    else if (sense && pattern?.startsWith('^') === true) harmless(interpreter, one, PLACES, frame);
    else if (!sense && forbids) harmless(interpreter, one, 'all', frame);
    else if (!sense && pattern !== undefined && /\\\.\\?\.|\.\./.test(pattern))
      harmless(interpreter, one, ['path-traversal'], frame);
  }
}

const root = (way: Station): Station => {
  let at = way;
  while (at.before) at = at.before;
  return at;
};

/** The value of an expression is harmless from here on, and so is what else holds the same data. */
function harmless(interpreter: Engine, node: Expr, classes: readonly FindingClass[] | 'all', frame: Frame): void {
  if (classes.length === 0) return;
  const value = interpreter.value(node, frame);
  const path = pathOf(node);
  if (path !== undefined && !isConstant(value) && !value.closures) set(frame, path, clear(value, classes));
  // `list.includes(x.toLowerCase())`, `schema.validate(x)`.
  if (path === undefined && node.k === 'call') {
    const inner = [...(node.callee.k === 'member' ? [node.callee.object] : []), ...node.args.map((one) => one.value)];
    for (const one of inner) if (pathOf(one) !== undefined) harmless(interpreter, one, classes, frame);
    return;
  }
  if (!value.taint) return;
  const from = root(value.taint.way);
  for (const [name, one] of frame.vars)
    if (one.taint && root(one.taint.way) === from) frame.vars.set(name, clear(one, classes));
}

function set(frame: Frame, path: string, value: Value): void {
  if (path.includes('.') || frame.vars.has(path) || lookup(frame, path)) frame.vars.set(path, value);
}
