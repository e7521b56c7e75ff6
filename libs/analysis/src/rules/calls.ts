import type { Node } from '../parse/syntax.js';
import { unquoted } from './bindings.js';

/**
 * An argument of a call: a position (0-based), or a name, which is a keyword argument in Python and a member of any
 * object-literal argument in JavaScript. Of a list, the first that is there.
 */
export type ArgumentKey = number | string | readonly (number | string)[];

/** A named argument: the whole `name=value` or `name: value`, and the value. */
export interface NamedArgument {
  readonly whole: Node;
  readonly value: Node;
}

/** A call of either language, seen the same way. */
export interface CallView {
  readonly callee: Node;
  readonly positional: readonly Node[];
  readonly named: ReadonlyMap<string, NamedArgument>;
  /** Whether `*args`, `**kwargs` or a spread may bring arguments that can't be seen. */
  readonly open: boolean;
  readonly list: Node;
}

/** The members of an object literal, by name; `open` when some can't be seen. */
export function membersOf(object: Node): { members: Map<string, NamedArgument>; open: boolean } {
  const members = new Map<string, NamedArgument>();
  let open = false;
  for (const part of object.namedChildren()) {
    if (part.is('comment')) continue;
    const key = part.is('pair') ? part.field('key') : undefined;
    const value = part.is('pair') ? part.field('value') : undefined;
    if (key && value && !key.is('computed_property_name')) {
      members.set(key.is('string') ? unquoted(key) : key.text(), { whole: part, value });
    } else if (part.is('shorthand_property_identifier')) members.set(part.text(), { whole: part, value: part });
    else open = true;
  }
  return { members, open };
}

/** A call, `new` included, or undefined for anything else and for tagged templates. */
export function callView(node: Node): CallView | undefined {
  if (!node.is('call_expression') && !node.is('call') && !node.is('new_expression')) return undefined;
  const callee = node.field('function') ?? node.field('constructor');
  const list = node.field('arguments');
  if (!callee || !list || list.is('template_string') || list.is('generator_expression')) return undefined;
  const positional: Node[] = [];
  const named = new Map<string, NamedArgument>();
  let open = false;
  for (const argument of list.namedChildren()) {
    if (argument.is('comment')) continue;
    if (argument.is('keyword_argument')) {
      const [name, value] = [argument.field('name'), argument.field('value')];
      if (name && value) named.set(name.text(), { whole: argument, value });
      continue;
    }
    if (argument.is('spread_element') || argument.is('list_splat') || argument.is('dictionary_splat')) {
      open = true;
      continue;
    }
    positional.push(argument);
    if (!argument.is('object')) continue;
    const object = membersOf(argument);
    open ||= object.open;
    for (const [name, member] of object.members) named.set(name, member);
  }
  return { callee, positional, named, open, list };
}

/** The value of the first of these arguments that is there. */
export function argumentOf(call: CallView, key: ArgumentKey): Node | undefined {
  for (const one of typeof key === 'object' ? key : [key]) {
    const value = typeof one === 'number' ? call.positional[one] : call.named.get(one)?.value;
    if (value) return value;
  }
  return undefined;
}
