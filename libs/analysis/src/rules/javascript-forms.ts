import type { Expr, ExprOf, Func, Module, Stmt } from '../flow/ir.js';
import { pathOf } from '../flow/places.js';
import { visit } from '../flow/visit.js';

const lastName = (node: Expr): string => (node.k === 'name' ? node.name : node.k === 'member' ? node.name : '');

const GUARDED = /passw|secret|api_?key|signature|hmac|csrf_?token|auth_?token|access_?token/i;

/** `key_given`, `isSet`: whether there is something, and not what it is. */
const ASKS = /\w_(given|set|present|missing|exists)$|[a-z](Given|Set|Present|Missing|Exists)$|^(is|has)(_|[A-Z])/;

/** A comparison of two values of which one is a secret. */
export function comparesSecret(node: Expr): boolean {
  if (node.k !== 'op' || !/^[=!]==?$/.test(node.op)) return false;
  const [left, right] = node.operands;
  if (!left || !right) return false;
  const names = [left, right].map(lastName);
  if (names.some((name) => name === '' || name === 'length' || name === 'undefined' || name === 'type')) return false;
  if (names.some((name) => /confirm|repeat|again|retype|new_?passw|password2|old|type|kind|field|input/i.test(name)))
    return false;
  if (names.some((name) => ASKS.test(name))) return false;
  return names.some((name) => GUARDED.test(name)) && !names.every((name) => /^[A-Z_]+$/.test(name));
}

export function emptyHandler(node: Extract<Stmt, { k: 'try' }>, module: Module): boolean {
  return node.handlers.some(
    ({ body, span }) => body.length === 0 && /\{\s*\}$/.test(module.text.slice(span.start, span.end)),
  );
}

export function hasTwin(node: ExprOf<'object'>): boolean {
  const seen = new Set<string>();
  for (const { key, value } of node.entries) {
    if (key === undefined || key === '' || value.k === 'func') continue;
    if (seen.has(key)) return true;
    seen.add(key);
  }
  return false;
}

export function isPointless(node: Expr, _module: Module): boolean {
  if (node.k !== 'op') return false;
  const [left, right] = node.operands;
  if (!left || !right) return false;
  const paths = [pathOf(left), pathOf(right)];
  if (/^[=!]==?$/.test(node.op) && paths.some((path) => path === 'NaN' || path === 'Number.NaN')) return true;
  const same = paths[0] !== undefined && paths[0] === paths[1];
  if (!same) return false;
  if (/^(===?|<=?|>=?)$/.test(node.op))
    return paths[0]?.includes('.') === true || node.op.startsWith('<') || node.op.startsWith('>');
  return node.op === '&&' || node.op === '||';
}

/** Whether an object is a pattern that takes another one apart. */
export function isTarget(node: Expr, parent: Expr | Stmt | undefined): boolean {
  return parent?.k === 'assign' && parent.target === node;
}

export function isRequestKey(node: Expr): boolean {
  return /^(req|request|ctx\.request|ctx)\.(body|query|params)(\.|$)/.test(pathOf(node) ?? '');
}

const GUARD =
  /__proto__|['"`]constructor['"`]|['"`]prototype['"`]|Object\.create\(null\)|isPrototypePolluted|unsafe|UNSAFE|hasOwn|new Map/;

/** Whether a function asks another one of its file that knows about the prototype. */
function asksForPrototype(text: string, { text: whole }: Module): boolean {
  for (let at = whole.indexOf('__proto__'); at >= 0; at = whole.indexOf('__proto__', at + 1)) {
    const before = whole.slice(Math.max(0, at - 240), at);
    const name = [...before.matchAll(/\b(?:const|let|var|function)\s+(\w+)/g)].at(-1)?.[1];
    if (name !== undefined && new RegExp(`\\b${name}\\b`).test(text)) return true;
  }
  return false;
}

/** A function that copies keys of one object into another, one object in the other, or walks along a path of keys and sets. */
export function mergesKeys(fn: Func, module: Module): boolean {
  const text = module.text.slice(fn.start, fn.end);
  if (text.length > 4000 || GUARD.test(text)) return false;
  const sets = /\w\[[^=;\n]+\]\s*=(?!=)/.test(text);
  if (!sets) return false;
  // `a[k] = … b[k] …`: the keys of the one decide on those of the other.
  const copies = /\b\w+\[\s*(\w+)\s*\]\s*=(?!=)[^;]*\b\w+\[\s*\1\s*\]|Object\.entries/.test(text);
  const params = fn.params.flatMap(({ target }) => (target.k === 'name' ? [target.name] : []));
  const recursive =
    fn.name !== '' && new RegExp(`\\b${fn.name}\\s*\\(\\s*\\w+(\\.\\w+)*\\[`).test(text.slice(text.indexOf('{')));
  const loops = /for\s*\(\s*(const|let|var)?\s*\w+\s+in\b|Object\.(keys|entries)\s*\(/.test(text);
  if (recursive && loops && copies && params.length >= 2) return !asksForPrototype(text, module);
  const walks = /\b(\w+)\s*=\s*\1\[[^\]]+\]/.test(text) && /\.split\(|\bpath\b|\bkeys\b|\bparts\b/.test(text);
  return walks && params.length >= 3 && !asksForPrototype(text, module);
}

const CREDENTIAL =
  /^(password|passwd|pwd|secret|client_?secret|api_?key|auth_?token|access_?token|refresh_?token|private_?key|credit_?card(_?number)?|ssn|jwt|secret_?key)$/i;

/** Whether a credential is among the values of an expression. */
export function namesCredential(node: Expr): boolean {
  switch (node.k) {
    case 'name':
    case 'member':
      return CREDENTIAL.test(node.name.replace(/([a-z])([A-Z])/g, '$1_$2'));
    case 'text':
      return node.parts.some(namesCredential);
    case 'op':
      return node.op === '+' && node.operands.some(namesCredential);
    default:
      return false;
  }
}

const asyncNames = new WeakMap<Module, ReadonlySet<string>>();

/** Functions of a file that are declared async, and by no other name. */
function asyncFunctions(module: Module): ReadonlySet<string> {
  const known = asyncNames.get(module);
  if (known) return known;
  const found = new Set<string>();
  const others = new Set<string>();
  const note = (name: string, fn: Func): void => void (fn.async ? found : others).add(name);
  visit(module, {
    statement: (node) => {
      if (node.k === 'func') note(node.fn.name, node.fn);
    },
    expression: (node) => {
      if (node.k === 'assign' && node.target.k === 'name' && node.value.k === 'func')
        note(node.target.name, node.value.fn);
    },
  });
  for (const name of others) found.delete(name);
  asyncNames.set(module, found);
  return found;
}

/** `list.forEach(async …)`: nobody waits, and nobody hears of a failure. */
export function dropsEach(node: Expr): boolean {
  if (node.k !== 'call' || node.callee.k !== 'member' || node.callee.name !== 'forEach') return false;
  const [first] = node.args;
  if (first?.value.k !== 'func' || !first.value.fn.async) return false;
  return !first.value.fn.body.every(({ k }) => k === 'try');
}

/** A statement that is the call of an async function of the file, or a `then` without anybody for failures. */
export function dropsPromise(node: Stmt, module: Module): boolean {
  if (node.k !== 'expr' || node.value.k !== 'call') return false;
  const { callee } = node.value;
  if (callee.k === 'name')
    return asyncFunctions(module).has(callee.name) && !/^(main|run|start|bootstrap|init)$/.test(callee.name);
  if (callee.k !== 'member' || callee.name !== 'then' || node.value.args.length > 1) return false;
  return (
    !/\.(catch|done|finally)\s*\(/.test(module.text.slice(node.start, node.end)) &&
    !canOnlyResolve(callee.object, module)
  );
}

/** A promise that the file makes with a function that is given no way to reject. */
function canOnlyResolve(promise: Expr, module: Module): boolean {
  const path = pathOf(promise);
  if (path === undefined) return false;
  const name = path.replace(/[.$]/g, '\\$&');
  return new RegExp(
    `${name}\\s*=\\s*new Promise\\(\\s*(?:function\\s*\\w*\\s*)?\\(?\\s*\\w+\\s*\\)?\\s*(?:=>|\\{)`,
  ).test(module.text);
}
