import { enclosingScope, isFunction, upwards, type Node } from '../parse/syntax.js';
import { argumentOf, callView, membersOf, type NamedArgument } from './calls.js';
import type { Candidate } from './candidate.js';
import { Evaluator, isBuilt } from './evaluate.js';
import { namesGuard, purposeOf } from './purpose.js';
import { isRequestData } from './request-data.js';
import { looksLikeSecret, namesSecret } from '../secrets/credential.js';

/** What patterns can't tell, by name, so that rules stay data. */
export const PREDICATES = {
  /** What the value is assigned to, returned as or passed as guards something: a token, a password, a session. */
  'guards-something': ({ node, bindings }) => [...purposeOf(node, bindings)].some(namesGuard),
  /** Something that guards goes in: `md5(password)`. */
  'eats-something-that-guards': ({ node, call }) => {
    const chain = digestChain(node);
    return [call?.list, ...chain].some((part) => part !== undefined && namesIn(part).some(namesGuard));
  },
  'html-is-built': (of) => {
    const value = assignedValue(of.node) ?? of.call?.positional.at(-1);
    return value !== undefined && isBuilt(htmlEvaluator(of).parts(value));
  },
  'joins-request-path': ({ node, call, bindings }) => {
    if (!call?.positional.some((argument) => isRequestPath(argument, bindings))) return false;
    return !isContained(node);
  },
  'opens-request-path': ({ node, call, bindings }) => {
    const path = call?.positional[0];
    if (!path || call.named.has('root') || isContained(node)) return false;
    const parts = new Evaluator(bindings, (name) =>
      /(basename|secure_filename|safe_join|\.join|\.resolve)$/.test(name),
    ).parts(path);
    return parts.some((part) => 'hole' in part && part.tainted && !goesThroughJoin(part.hole, bindings));
  },
  'session-cookie': ({ call, bindings }) => {
    const name = call?.positional[0] ? new Evaluator(bindings).constant(call.positional[0]) : undefined;
    return name !== undefined && namesGuard(name);
  },
  'cookie-lacks-flags': (of) => missingCookieFlags(of).length > 0,
  'compares-digest': ({ node, bindings }) => {
    if (!/^[!=]==?$/.test(operatorOf(node))) return false;
    const sides = sidesOf(node);
    return (
      sides.some((side) => isDigest(side, bindings)) &&
      !sides.some((side) => new Evaluator(bindings).constant(side) !== undefined)
    );
  },
  'web-server-run': ({ call, bindings }) => {
    if (!call) return false;
    const name = bindings.nameOf(call.callee);
    if (/^(asyncio|uvloop|anyio|trio|subprocess)\./.test(name)) return false;
    return call.named.has('host') || call.named.has('port') || /Flask\(\)|(^|[^a-z])app(lication)?\.run$/i.test(name);
  },
  'literal-secret': (of) => {
    const [name, value] = namedValue(of.node);
    if (!name || !value || !namesSecret(name)) return false;
    return literalsOf(value, of).some((text) => looksLikeSecret(text, name));
  },
  'value-is-false': ({ node, bindings }) => {
    const value = assignedValue(node);
    return value !== undefined && new Evaluator(bindings).constant(value)?.toLowerCase() === 'false';
  },
  'value-is-zero': ({ node, bindings }) => {
    const value = assignedValue(node);
    return value !== undefined && new Evaluator(bindings).constant(value) === '0';
  },
  'value-is-cert-none': ({ node, bindings }) => {
    const value = assignedValue(node);
    return value !== undefined && bindings.nameOf(value) === 'ssl.CERT_NONE';
  },
  'runs-in-shell': ({ call, bindings }) => {
    const shell = call?.named.get('shell')?.value;
    const value = shell ? new Evaluator(bindings).constant(shell) : undefined;
    return shell !== undefined && value !== 'false' && value !== 'False';
  },
} as const satisfies Record<string, (of: Candidate) => boolean>;
export type PredicateName = keyof typeof PREDICATES;

const ESCAPES_HTML = /(escape|sanitiz|purif|encode)\w*$|DOMPurify\.sanitize$|\.sanitize$/i;

function htmlEvaluator({ bindings }: Candidate): Evaluator {
  return new Evaluator(bindings, (name) => ESCAPES_HTML.test(name.replace(/^\?/, '')));
}

function assignedValue(node: Node): Node | undefined {
  return node.field('right') ?? node.field('value') ?? undefined;
}

/** Every name in a piece of code, members included. */
function namesIn(node: Node): string[] {
  const names: string[] = [];
  const stack = [node];
  for (let at = stack.pop(); at; at = stack.pop()) {
    if (at.is('identifier') || at.is('property_identifier')) names.push(at.text());
    else stack.push(...at.namedChildren());
  }
  return names;
}

/** The arguments of `createHash(x).update(…)`: what is chained onto a call. */
function digestChain(node: Node): Node[] {
  const lists: Node[] = [];
  for (const at of upwards(node)) {
    if (at.id() === node.id() || at.is('member_expression') || at.is('attribute')) continue;
    const list = at.is('call_expression') || at.is('call') ? at.field('arguments') : undefined;
    if (!list || !/\.(update|digest|hexdigest)$/.test(at.field('function')?.text().trim() ?? '')) break;
    lists.push(list);
  }
  return lists;
}

function isRequestPath(node: Node, bindings: Candidate['bindings']): boolean {
  if (node.is('spread_element')) return false;
  return new Evaluator(bindings, (name) => /(basename|secure_filename)$/.test(name))
    .parts(node)
    .some((part) => 'hole' in part && !part.harmless && isRequestData(part.hole, bindings));
}

/** A path that was joined is reported where it is joined. */
function goesThroughJoin(hole: Node, bindings: Candidate['bindings']): boolean {
  const call = callView(hole);
  return call !== undefined && /(^|\.)(join|resolve)$/.test(bindings.nameOf(call.callee));
}

/** The same function looks whether the path stays where it should: `startsWith`, `relative`, `is_relative_to`, `commonpath`. */
function isContained(node: Node): boolean {
  const scope = enclosingScope(node);
  return (
    isFunction(scope) &&
    /\b(startsWith|startswith|relative|is_relative_to|relative_to|commonpath)\s*\(/.test(scope.text())
  );
}

export interface CookieFlag {
  readonly flag: string;
  /** Where it is set to false; undefined where it is not set. */
  readonly present: NamedArgument | undefined;
}

/** Which of `httpOnly` and `secure` a session cookie goes without, in the spelling of the language; none when it can't be seen. */
export function missingCookieFlags({ call, bindings }: Candidate): CookieFlag[] {
  if (!call) return [];
  const flags = bindings.language === 'python' ? ['httponly', 'secure'] : ['httpOnly', 'secure'];
  const options = call.positional[2];
  let named = call.named;
  let open = call.open;
  if (options?.is('identifier')) {
    const value = bindings.valueOf(options);
    if (!value?.is('object')) return [];
    ({ members: named, open } = membersOf(value));
  } else if (options && bindings.language !== 'python' && !options.is('object')) return [];
  return flags.flatMap((flag): CookieFlag[] => {
    const present = named.get(flag);
    if (!present) return open ? [] : [{ flag, present }];
    return new Evaluator(bindings).constant(present.value)?.toLowerCase() === 'false' ? [{ flag, present }] : [];
  });
}

function operatorOf(node: Node): string {
  return node.field('operator')?.text() ?? node.field('operators')?.text() ?? '';
}

function sidesOf(node: Node): Node[] {
  const [left, right] = [node.field('left'), node.field('right')];
  return left && right ? [left, right] : node.namedChildren();
}

/** `createHmac(…)…digest()`, or a variable that holds one. */
function isDigest(node: Node, bindings: Candidate['bindings'], depth = 0): boolean {
  if (node.is('identifier') && depth < 4) {
    const value = bindings.valueOf(node);
    return value !== undefined && isDigest(value, bindings, depth + 1);
  }
  const call = callView(node);
  if (!call)
    return node.is('template_string') || node.is('string')
      ? node.namedChildren().some((part) => part.namedChildren().some((inner) => isDigest(inner, bindings, depth + 1)))
      : false;
  const receiver = call.callee.field('object');
  if (!receiver || depth > 6) return false;
  if (
    /\.(digest|hexdigest)$/.test(`.${(call.callee.field('property') ?? call.callee.field('attribute'))?.text() ?? ''}`)
  ) {
    return comesFromHmac(receiver, bindings, 0);
  }
  return isDigest(receiver, bindings, depth + 1);
}

function comesFromHmac(node: Node, bindings: Candidate['bindings'], depth: number): boolean {
  if (depth > 6) return false;
  if (node.is('identifier')) {
    const value = bindings.valueOf(node);
    return value !== undefined && comesFromHmac(value, bindings, depth + 1);
  }
  const call = callView(node);
  if (!call) return false;
  if (/(^|\.)(createHmac|hmac\.new|hmac\.HMAC)$/.test(bindings.nameOf(call.callee))) return true;
  const receiver = call.callee.field('object');
  return receiver !== null && comesFromHmac(receiver, bindings, depth + 1);
}

/** The name and the value of an assignment, a declaration, a pair or a keyword argument. */
function namedValue(node: Node): [string | undefined, Node | undefined] {
  const name = node.field('name') ?? node.field('left') ?? node.field('key') ?? node.field('property');
  const value = node.field('value') ?? node.field('right') ?? undefined;
  const text = name?.text().replace(/^["']|["']$/g, '');
  return [text?.slice(text.lastIndexOf('.') + 1), value];
}

/** Texts that a value may be: itself, or what stands in when the environment has none. */
function literalsOf(value: Node, of: Candidate): string[] {
  if (value.is('string') || value.is('template_string') || value.is('concatenated_string')) {
    return [new Evaluator(of.bindings).constant(value) ?? ''];
  }
  const operator = operatorOf(value);
  if (operator === '||' || operator === '??' || value.is('boolean_operator') || operator === '+') {
    const parts = value.namedChildren().flatMap((part) => literalsOf(part, of));
    return operator === '+' ? [new Evaluator(of.bindings).constant(value) ?? ''] : parts;
  }
  if (value.is('parenthesized_expression') || value.is('as_expression')) {
    return value
      .namedChildren()
      .slice(0, 1)
      .flatMap((part) => literalsOf(part, of));
  }
  const call = callView(value);
  if (call && /^os\.(getenv|environ\.get)$/.test(of.bindings.nameOf(call.callee))) {
    const fallback = argumentOf(call, [1, 'default']);
    return fallback ? literalsOf(fallback, of) : [];
  }
  return [];
}
