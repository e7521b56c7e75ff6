import type { FlowLanguage } from '../parse/language.js';
import type { FindingClass } from '@devmesh/contracts/finding';
import type { Class, Func, Primitive } from './ir.js';

/**
 * Who chooses a value: a client over the network, whoever packed an archive, whoever starts the program, or the caller of an exported
 * function.
 */
export type Origin = 'remote' | 'archive' | 'local' | 'caller';

/** One station of data on its way; `before` is the one it came from. */
export interface Station {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly note: string;
  readonly before: Station | undefined;
}

export interface Taint {
  readonly origin: Origin;
  readonly way: Station;
  /** Classes for which it was made harmless. */
  readonly cleared: ReadonlySet<FindingClass>;
  /** Harmless for everything: one of known values, a number, a digest. */
  readonly structured: boolean;
}

/** A function with the variables that it sees. */
export interface Closure {
  readonly fn: Func;
  readonly frame: Frame;
  readonly self: Value | undefined;
}

export interface ClassValue {
  readonly cls: Class;
  readonly frame: Frame;
}

/** An object of a class of the project, or any other that is shared by reference. */
export interface Instance {
  readonly of: ClassValue;
  readonly fields: Map<string, Value>;
}

/** What is known of a value. Everything that is left out is unknown. Never changed, but for the fields of an instance. */
export interface Value {
  readonly taint?: Taint | undefined;
  readonly constant?: Primitive;
  /** Text: holes are U+0000, and U+0001 where they are tainted. */
  readonly shape?: string | undefined;
  readonly fields?: ReadonlyMap<string, Value> | undefined;
  /** Whether there may be fields that are not known. */
  readonly open?: boolean;
  readonly items?: readonly Value[] | undefined;
  /** The full name of what it is: `child_process.exec`, `express()`, `?db.query` when the first word says only how it is called here. */
  readonly ref?: string | undefined;
  readonly closures?: readonly Closure[] | undefined;
  readonly cls?: ClassValue | undefined;
  readonly instance?: Instance | undefined;
  readonly numeric?: boolean;
  /** Whoever chose it could only choose among what is harmless. */
  readonly safe?: boolean;
  /** Of a value that nobody else is known to choose: the classes of harm that it was cleaned of. */
  readonly cleanOf?: ReadonlySet<FindingClass>;
  readonly regex?: { readonly pattern: string; readonly flags: string };
  /** What is imported is looked at when somebody uses it; then this gives what it is. All else of such a value is left out. */
  readonly later?: () => Value;
  /** Members that are not among `fields`, looked up by name: what a module exports of others. */
  readonly member?: (name: string) => Value | undefined;
}

/** A value, looked up if it was put off. */
export function settled(value: Value): Value {
  return value.later ? value.later() : value;
}

/** Variables of one call, or of a module. Dotted names are what is known of members at this point. */
export interface Frame {
  vars: Map<string, Value>;
  readonly parent: Frame | undefined;
  readonly module: ModuleState;
  readonly fn: Func | undefined;
  readonly self: Value | undefined;
  returned: Value | undefined;
  readonly depth: number;
}

export interface ModuleState {
  readonly path: string;
  readonly text: string;
  readonly language: FlowLanguage;
  readonly exports: Map<string, Value>;
  /** Modules all of whose exports are this one's, too. */
  readonly stars: string[];
  frame: Frame | undefined;
  /** Whether its top level ran to its end, so that what it exports is all there. */
  ready: boolean;
}

export const UNKNOWN: Value = {};
export const NUMBER: Value = { numeric: true };
export const HOLE = '\u0000';
export const TAINTED_HOLE = '\u0001';
/** A number, or a text that was checked or cleaned. */
const SAFE_HOLE = '\u0002';
const MAX_SHAPE = 600;

export function constant(value: Primitive): Value {
  if (typeof value === 'string') return { constant: value, shape: value.slice(0, MAX_SHAPE) };
  return typeof value === 'number' ? { constant: value, numeric: true } : { constant: value };
}

export function isConstant(value: Value): boolean {
  if (value.constant !== undefined || value.numeric === true || value.regex) return true;
  if (value.items) return value.items.every(isConstant);
  return value.fields !== undefined && value.open !== true && [...value.fields.values()].every(isConstant);
}

/** Known, a number, checked or cleaned (of the harm of a class, if one is named): nothing in it is anybody's choice but ours. */
export function isHarmless(value: Value, kind?: FindingClass): boolean {
  const taint = taintOf(value);
  if (taint && (kind === undefined || !taint.cleared.has(kind))) return false;
  if (value.safe === true || isConstant(value) || (kind !== undefined && value.cleanOf?.has(kind) === true))
    return true;
  return value.shape !== undefined && !value.shape.includes(HOLE) && value.shape.length < MAX_SHAPE;
}

const RANK: Readonly<Record<Origin, number>> = { remote: 3, archive: 2, local: 1, caller: 0 };

/** Of two, the one that can do more harm; made harmless is only what was in both. */
export function mergeTaints(a: Taint | undefined, b: Taint | undefined): Taint | undefined {
  if (!a || !b || a === b) return a ?? b;
  const worse =
    RANK[b.origin] > RANK[a.origin] || (RANK[b.origin] === RANK[a.origin] && b.cleared.size < a.cleared.size) ? b : a;
  const lesser = worse === a ? b : a;
  if (RANK[worse.origin] > RANK[lesser.origin]) return worse;
  const cleared = new Set([...worse.cleared].filter((kind) => lesser.cleared.has(kind)));
  return { ...worse, cleared, structured: worse.structured || lesser.structured };
}

/** What is known of a value that is one or the other. */
export function merge(a: Value | undefined, b: Value | undefined, depth = 0): Value {
  if (!a || !b || a === b) return a ?? b ?? UNKNOWN;
  const taint = mergeTaints(a.taint, b.taint);
  const same = a.constant !== undefined && a.constant === b.constant;
  const fields = a.fields && b.fields && depth < 3 ? mergeFields(a.fields, b.fields, depth) : (a.fields ?? b.fields);
  const shape = a.shape === b.shape ? a.shape : [a, b].find((one) => one.taint)?.shape;
  const closures =
    a.closures && b.closures ? [...new Set([...a.closures, ...b.closures])].slice(0, 3) : (a.closures ?? b.closures);
  return {
    ...(taint ? { taint } : {}),
    ...(same ? { constant: a.constant } : {}),
    ...(shape === undefined ? {} : { shape }),
    ...(fields ? { fields, open: a.open === true || b.open === true || !a.fields || !b.fields } : {}),
    ...(a.items && b.items
      ? { items: longer(a.items, b.items).map((_, i) => merge(a.items?.[i], b.items?.[i], depth + 1)) }
      : {}),
    ...(a.ref === undefined && b.ref === undefined ? {} : { ref: a.ref ?? b.ref }),
    ...(closures ? { closures } : {}),
    ...(a.cls || b.cls ? { cls: a.cls ?? b.cls } : {}),
    ...(a.instance || b.instance ? { instance: a.instance ?? b.instance } : {}),
    ...(a.numeric === true && b.numeric === true ? { numeric: true } : {}),
    ...(isHarmless(a) && isHarmless(b) && !taint ? { safe: true } : cleanOfAll([a, b])),
  };
}

/** The classes that all of some values were cleaned of; harmless ones were of all. */
function cleanOfAll(values: readonly Value[]): Pick<Value, 'cleanOf'> {
  const sets = values.filter((one) => !isHarmless(one)).map((one) => one.cleanOf ?? new Set<FindingClass>());
  const [first, ...others] = sets;
  if (!first || first.size === 0) return {};
  const both = new Set([...first].filter((kind) => others.every((set) => set.has(kind))));
  return both.size > 0 ? { cleanOf: both } : {};
}

const longer = <T>(a: readonly T[], b: readonly T[]): readonly T[] => (a.length >= b.length ? a : b);

function mergeFields(a: ReadonlyMap<string, Value>, b: ReadonlyMap<string, Value>, depth: number): Map<string, Value> {
  const all = new Map(a);
  for (const [name, value] of b) all.set(name, a.has(name) ? merge(a.get(name), value, depth + 1) : value);
  return all;
}

/** The taint of anything inside. */
export function taintOf(value: Value, depth = 0): Taint | undefined {
  if (value.taint || depth > 4) return value.taint;
  let found: Taint | undefined;
  for (const part of value.items ?? []) found = mergeTaints(found, taintOf(part, depth + 1));
  for (const part of value.fields?.values() ?? []) found = mergeTaints(found, taintOf(part, depth + 1));
  for (const part of value.instance?.fields.values() ?? [])
    found = mergeTaints(found, depth < 2 ? taintOf(part, depth + 2) : undefined);
  return found;
}

export function clear(value: Value, classes: readonly FindingClass[] | 'all'): Value {
  const { taint, shape, ...rest } = value;
  if (classes === 'all')
    return {
      ...rest,
      safe: true,
      ...(shape === undefined ? {} : { shape: shape.replaceAll(TAINTED_HOLE, SAFE_HOLE).replaceAll(HOLE, SAFE_HOLE) }),
    };
  if (!taint) return { ...value, cleanOf: new Set([...(value.cleanOf ?? []), ...classes]) };
  return { ...value, taint: { ...taint, cleared: new Set([...taint.cleared, ...classes]) } };
}

/** The text of parts put one after the other. */
export function concat(parts: readonly Value[]): Value {
  let shape = '';
  let taint: Taint | undefined;
  for (const part of parts) {
    const own = taintOf(part);
    taint = mergeTaints(taint, own);
    if (shape.length >= MAX_SHAPE) continue;
    if (part.constant !== undefined) shape += String(part.constant);
    else shape += part.shape ?? (own ? TAINTED_HOLE : part.numeric === true || part.safe === true ? SAFE_HOLE : HOLE);
  }
  if (parts.every((part) => part.constant !== undefined))
    return constant(parts.map((part) => String(part.constant)).join(''));
  return {
    shape: shape.slice(0, MAX_SHAPE),
    ...(taint ? { taint: { ...taint, structured: false } } : cleanOfAll(parts)),
  };
}
