import { upwards, type Node } from '../parse/syntax.js';
import type { Bindings } from './bindings.js';
import { callView } from './calls.js';

/** Words in names that say that a value guards something. They are what tells a token from any other random text. */
const GUARDING =
  /token|secret|passw(or)?d|passphrase|passcode|session|nonce|salt|otp|one_?time|csrf|xsrf|api_?key|access_?key|private_?key|signing_?key|encryption_?key|credential|auth(?!or)|reset_?(code|link|key)|activation|invit(e|ation)_?code|verif\w*_?code|(^|[^a-z])(sid|pin)([^a-z]|$)/i;

/** Whether a name, in any of the usual spellings, says that its value guards something. */
export function namesGuard(name: string): boolean {
  return GUARDING.test(name.replace(/([a-z0-9])([A-Z])/g, '$1_$2'));
}

/** The names and literal words around an expression that tell what it is for: what it is assigned to, passed as, returned from. */
export function* purposeOf(node: Node, bindings: Bindings): Generator<string> {
  let at = node;
  for (const up of upwards(node)) {
    if (up.id() === node.id()) continue;
    const kind = String(up.kind());
    if (kind === 'arguments' || kind === 'argument_list') {
      const callee = up.parent()?.field('function');
      if (callee) yield callee.text();
    } else if (kind === 'variable_declarator' || kind === 'field_definition' || kind === 'public_field_definition') {
      const name = up.field('name') ?? up.field('property');
      if (name) {
        yield name.text();
        if (name.is('identifier')) yield* usesOf(name, bindings);
      }
    } else if (kind === 'assignment_expression' || kind === 'assignment') {
      const left = up.field('left');
      if (left) {
        yield left.text();
        if (left.is('identifier')) yield* usesOf(left, bindings);
      }
    } else if (kind === 'pair' && up.field('value')?.id() === at.id()) {
      const key = up.field('key');
      if (key) yield key.text();
    } else if (kind === 'keyword_argument') {
      const name = up.field('name');
      if (name) yield name.text();
    } else if (kind === 'return_statement') {
      const owner = functionName(up);
      if (owner) yield owner;
      return;
    } else if (kind === 'arrow_function') {
      if (up.field('body')?.id() === at.id()) {
        const name = functionName(at);
        if (name) yield name;
      }
      return;
    } else if (kind.endsWith('_statement') || kind === 'statement_block' || kind === 'block' || kind === 'class_body') {
      return;
    }
    at = up;
  }
}

/** The name of the function that a node stands in, or of the variable that holds it. */
function functionName(node: Node): string | undefined {
  for (const at of upwards(node)) {
    if (at.is('arrow_function') || at.is('function_expression')) {
      const holder = at.parent();
      return (holder?.field('name') ?? holder?.field('left') ?? holder?.field('key'))?.text();
    }
    if (at.is('function_declaration') || at.is('function_definition') || at.is('method_definition')) {
      return at.field('name')?.text();
    }
  }
  return undefined;
}

/** What a variable is used as, in its own scope: `{ token: x }`, `f(token=x)`, `session.cookie('sid', x)`. */
function* usesOf(name: Node, bindings: Bindings): Generator<string> {
  const scope = bindings.of(name)[0]?.scope;
  if (!scope) return;
  for (const use of scope.findAll({ rule: { kind: 'identifier', regex: `^${name.text().replaceAll('$', '\\$')}$` } })) {
    const parent = use.parent();
    if (!parent || use.id() === name.id()) continue;
    if (parent.is('pair') && parent.field('value')?.id() === use.id()) yield parent.field('key')?.text() ?? '';
    if (parent.is('keyword_argument') && parent.field('value')?.id() === use.id())
      yield parent.field('name')?.text() ?? '';
    if (parent.is('return_statement')) yield functionName(parent) ?? '';
    const call = parent.parent();
    if (parent.is('arguments') && call && /\.cookie$/.test(call.field('function')?.text() ?? '')) {
      yield callView(call)?.positional[0]?.text() ?? '';
    }
  }
}
