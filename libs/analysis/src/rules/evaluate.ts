import type { Node } from '../parse/syntax.js';
import { unquoted, type Bindings } from './bindings.js';
import { argumentOf, callView, membersOf } from './calls.js';
import { isRequestData } from './request-data.js';

/** A piece of a value: text that is known, or a hole with the expression that fills it. */
export type Part =
  { readonly text: string } | { readonly hole: Node; readonly harmless: boolean; readonly tainted: boolean };

/** How far names are followed. */
const MAX_DEPTH = 8;

/** Results that can't carry an attack into a command, a query or a path, because they are numbers or truth values. */
const NUMERIC = new Set([
  'Number',
  'parseInt',
  'parseFloat',
  'Number.parseInt',
  'Number.parseFloat',
  'BigInt',
  'Boolean',
  'Date.now',
  'int',
  'float',
  'bool',
  'len',
  'round',
  'abs',
  'sum',
  'ord',
  'os.getpid',
  'time.time',
]);

const TRANSPARENT = new Set([
  'parenthesized_expression',
  'as_expression',
  'satisfies_expression',
  'non_null_expression',
  'await_expression',
  'await',
  'template_substitution',
]);

const LITERALS = new Set(['number', 'integer', 'float', 'true', 'false', 'null', 'none', 'undefined']);

/** Follows an expression to the text it makes. What it can't follow is a hole. */
export class Evaluator {
  constructor(
    readonly bindings: Bindings,
    /** Full names of calls whose result is harmless for the question asked, e.g. quoting functions. */
    private readonly isHarmlessCall: (name: string) => boolean = () => false,
  ) {}

  parts(node: Node, depth = 0): readonly Part[] {
    if (depth > MAX_DEPTH) return [this.#hole(node)];
    const kind = String(node.kind());
    if (LITERALS.has(kind)) return [{ text: node.text() }];
    if (TRANSPARENT.has(kind)) {
      const inner = node.namedChildren().find((child) => !child.is('comment'));
      return inner ? this.parts(inner, depth) : [];
    }
    switch (kind) {
      case 'string':
      case 'template_string':
        return this.#string(node, depth);
      case 'concatenated_string':
        return node.namedChildren().flatMap((child) => this.parts(child, depth));
      case 'binary_expression':
      case 'binary_operator':
        return this.#operator(node, depth);
      case 'ternary_expression':
      case 'conditional_expression':
        return this.#branches(node, depth);
      case 'identifier':
      case 'shorthand_property_identifier':
        return this.#name(node, depth);
      case 'call_expression':
      case 'call':
        return this.#call(node, depth);
      case 'member_expression':
      case 'attribute':
      case 'subscript_expression':
      case 'subscript':
        return this.#member(node, depth);
      case 'array':
      case 'list':
      case 'tuple':
        return node.namedChildren().flatMap((child) => this.parts(child, depth + 1));
      default:
        return [this.#hole(node)];
    }
  }

  /** The text, when all of it is known. */
  constant(node: Node): string | undefined {
    const parts = this.parts(node);
    return parts.every((part) => 'text' in part) ? parts.map((part) => part.text).join('') : undefined;
  }

  #hole(node: Node, harmless = false): Part {
    return { hole: node, harmless, tainted: !harmless && isRequestData(node, this.bindings) };
  }

  #string(node: Node, depth: number): readonly Part[] {
    const children = node.namedChildren();
    if (!children.some((child) => child.is('template_substitution') || child.is('interpolation'))) {
      return [{ text: unquoted(node) }];
    }
    return children.flatMap((child): readonly Part[] => {
      if (child.is('template_substitution')) return this.parts(child, depth + 1);
      if (!child.is('interpolation'))
        return child.is('string_start') || child.is('string_end') ? [] : [{ text: child.text() }];
      const inner = child.namedChildren()[0];
      return inner ? this.parts(inner, depth + 1) : [];
    });
  }

  #operator(node: Node, depth: number): readonly Part[] {
    const [left, right] = [node.field('left'), node.field('right')];
    const operator = node.field('operator')?.text();
    if (!left || !right) return [this.#hole(node)];
    if (operator === '+' || operator === '||' || operator === '??') {
      return [...this.parts(left, depth + 1), ...this.parts(right, depth + 1)];
    }
    if (operator === '%' && node.is('binary_operator')) {
      const text = this.parts(left, depth + 1);
      // "…" % (a, b) fills text; a % b of numbers is a number.
      return text.some((part) => 'text' in part && /%[^%]/.test(part.text + ' '))
        ? [...text, ...this.parts(right, depth + 1)]
        : [this.#hole(node, true)];
    }
    if (operator === '/' && node.is('binary_operator'))
      return [...this.parts(left, depth + 1), ...this.parts(right, depth + 1)];
    if (operator === '*' && node.is('binary_operator')) return this.parts(left, depth + 1);
    return [this.#hole(node, true)];
  }

  #branches(node: Node, depth: number): readonly Part[] {
    const named = node.namedChildren().filter((child) => !child.is('comment'));
    // JavaScript: condition ? a : b. Python: a if condition else b.
    const [first, second] = node.is('ternary_expression') ? [named[1], named[2]] : [named[0], named[2]];
    if (!first || !second) return [this.#hole(node)];
    const both = [...this.parts(first, depth + 1), ...this.parts(second, depth + 1)];
    return both.every((part) => 'text' in part) ? [this.#hole(node, true)] : both;
  }

  #name(node: Node, depth: number): readonly Part[] {
    const bindings = this.bindings.of(node);
    const imported = this.bindings.imports().get(node.text());
    if (bindings.length === 0) return [this.#hole(node, imported !== undefined && isConstantName(node.text()))];
    if (bindings.some((binding) => !binding.value || binding.kind === 'parameter' || binding.kind === 'function')) {
      return [this.#hole(node, this.#isIndex(node))];
    }
    // A name that is built up in several steps is all of them.
    return bindings.flatMap((binding) =>
      binding.value && !contains(binding.value, node) ? this.parts(binding.value, depth + 1) : [],
    );
  }

  /** The second parameter of an array callback counts from 0. */
  #isIndex(node: Node): boolean {
    const owner = this.bindings.of(node)[0]?.scope;
    const call = owner?.parent()?.parent();
    if (!owner || !call || !/\.(map|flatMap|forEach)$/.test(call.field('function')?.text() ?? '')) return false;
    return owner.field('parameters')?.namedChildren()[1]?.text().split(':')[0]?.trim() === node.text();
  }

  #call(node: Node, depth: number): readonly Part[] {
    const call = callView(node);
    if (!call) return [this.#hole(node)];
    const name = this.bindings.nameOf(call.callee);
    if (NUMERIC.has(name) || name.startsWith('Math.') || this.isHarmlessCall(name)) return [this.#hole(node, true)];
    const method = name.slice(name.lastIndexOf('.') + 1);
    const receiver = call.callee.field('object');
    const first = call.positional[0];
    if ((name === 'String' || name === 'str') && first) return this.parts(first, depth + 1);
    if (!receiver) return [this.#hole(node)];
    switch (method) {
      case 'format':
        return this.#format(
          receiver,
          call.positional,
          [...call.named.values()].map((argument) => argument.value),
          depth,
        );
      case 'join':
        return this.#join(receiver, first, depth);
      case 'concat':
        return [receiver, ...call.positional].flatMap((part) => this.parts(part, depth + 1));
      case 'map': {
        const body = first?.is('arrow_function') ? first.field('body') : undefined;
        return body && !body.is('statement_block') ? this.parts(body, depth + 1) : [this.#hole(node)];
      }
      case 'trim':
      case 'strip':
      case 'toString':
      case 'toLowerCase':
      case 'toUpperCase':
      case 'lower':
      case 'upper':
      case 'slice':
        return this.parts(receiver, depth + 1);
      case 'toFixed':
      case 'indexOf':
      case 'isoformat':
      case 'toISOString':
        return [this.#hole(node, true)];
      default:
        return [this.#hole(node)];
    }
  }

  #format(receiver: Node, positional: readonly Node[], named: readonly Node[], depth: number): readonly Part[] {
    const text = this.parts(receiver, depth + 1);
    const known = text.some((part) => 'text' in part);
    return known
      ? [...text, ...[...positional, ...named].flatMap((part) => this.parts(part, depth + 1))]
      : [this.#hole(receiver)];
  }

  /** Python joins on the separator, JavaScript on the list; either way all of it ends up in the text. */
  #join(receiver: Node, first: Node | undefined, depth: number): readonly Part[] {
    return [receiver, ...(first ? [first] : [])].flatMap((part) => this.parts(part, depth + 1));
  }

  /** A member of a constant table is one of its constants; a constant of another module is one, too. */
  #member(node: Node, depth: number): readonly Part[] {
    const object = node.field('object') ?? node.field('value');
    const property = node.field('property') ?? node.field('attribute');
    if (property?.text() === 'length') return [this.#hole(node, true)];
    const table = object?.is('identifier') ? tableOf(this.bindings.valueOf(object)) : undefined;
    if (table) {
      const values = valuesOf(table);
      if (values?.every((value) => this.constant(value) !== undefined)) {
        const one = property && membersOf(table).members.get(property.text())?.value;
        return one && table.is('object') ? this.parts(one, depth + 1) : [this.#hole(node, true)];
      }
    }
    const ofModule = object !== null && this.bindings.imports().has(object.text());
    return [this.#hole(node, ofModule && property !== null && isConstantName(property.text()))];
  }
}

function tableOf(value: Node | undefined): Node | undefined {
  let at = value;
  while (at?.is('as_expression') || at?.is('satisfies_expression') || at?.is('parenthesized_expression')) {
    at = at.namedChildren()[0];
  }
  const call = at && callView(at);
  if (call?.callee.text() === 'Object.freeze') at = argumentOf(call, 0);
  return at?.is('object') || at?.is('dictionary') || at?.is('array') || at?.is('list') ? at : undefined;
}

function valuesOf(table: Node): Node[] | undefined {
  if (table.is('array') || table.is('list')) return table.namedChildren();
  if (table.is('object')) {
    const { members, open } = membersOf(table);
    return open ? undefined : [...members.values()].map((member) => member.value);
  }
  const pairs = table.namedChildren().filter((child) => child.is('pair'));
  return pairs.length === table.namedChildren().length ? pairs.flatMap((pair) => pair.field('value') ?? []) : undefined;
}

function contains(outer: Node, inner: Node): boolean {
  const [a, b] = [outer.range(), inner.range()];
  return a.start.index <= b.start.index && b.end.index <= a.end.index;
}

/** `MAX_TRIES`, `TABLE`: named as a constant. */
export function isConstantName(name: string): boolean {
  return /^[A-Z][A-Z0-9_]+$/.test(name);
}

/** Whether some part is not known to be harmless. */
export function isBuilt(parts: readonly Part[]): boolean {
  return parts.some((part) => 'hole' in part && !part.harmless);
}
