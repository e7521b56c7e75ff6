import { formatted } from './format.js';
import type { CallFacts, Engine } from './engine.js';
import type { Expr } from './ir.js';
import { JAVA_NUMERIC, javaTypeName } from './models/java.js';
import { memberOfAll } from './module-values.js';
import { assign, pathOf } from './places.js';
import {
  clear,
  concat,
  constant,
  merge,
  mergeTaints,
  NUMBER,
  taintOf,
  UNKNOWN,
  type Instance,
  type Taint,
  type Value,
} from './value.js';

/** A field or a variable of which only the type is known. */
export function ofJavaType(type: string): Value {
  return JAVA_NUMERIC.test(type) ? NUMBER : { ref: javaTypeName(type) };
}

const LISTS =
  /^(ArrayList|LinkedList|Vector|Stack|HashSet|LinkedHashSet|TreeSet|ArrayDeque|CopyOnWriteArrayList|List|Set)$/;
const MAPS = /^(HashMap|LinkedHashMap|TreeMap|ConcurrentHashMap|Hashtable|Properties|EnumMap|WeakHashMap)$/;
const TEXTS = /^(StringBuilder|StringBuffer|String|StringReader|StringWriter)$/;
const PLACES = /^(File|FileInputStream|URL|URI|Path)$/;

/** What calls of Java mean beside the tables: collections, builders of texts, formats, properties. */
export function javaCall(interpreter: Engine, facts: CallFacts, called: Value): Value | undefined {
  const { node, ref, method, args, receiver } = facts;
  if (node.isNew) return made(interpreter, facts, called);
  if (called.closures && called.closures.length > 0) return undefined;
  const [first, second] = args;
  if (
    /^(Integer|Long|Short|Byte|Double|Float|Boolean|UUID|BigDecimal|BigInteger)\.(parse\w+|valueOf|fromString)$/.test(
      ref,
    )
  )
    return NUMBER;
  switch (ref) {
    case 'String.format':
      return (
        first &&
        formatted(
          node,
          first.ref === 'Locale' || first.ref?.startsWith('Locale.') === true ? (second ?? UNKNOWN) : first,
          args.slice(1).flatMap((one) => one.items ?? [one]),
        )
      );
    case 'String.valueOf':
    case 'Objects.toString':
    case 'Objects.requireNonNull':
    case 'Optional.of':
    case 'Optional.ofNullable':
      return first;
    case 'Arrays.asList':
    case 'List.of':
    case 'Set.of':
    case 'Stream.of':
      return { items: args.length === 1 && first?.items ? first.items : args };
    case 'Map.of':
      return mapOf(args);
    case 'Paths.get':
    case 'Path.of':
    case 'Paths.get()':
      return { ...joined(args), ref: 'Path' };
    case 'URI.create':
      return first && { ...first, ref: 'URI' };
  }
  if (method === 'getResourceAsStream' && typeof first?.constant === 'string')
    return { ref: `resource ${first.constant}` };
  if (receiver.fields && receiver.instance === undefined) {
    const found = ofMap(interpreter, facts);
    if (found) return found;
  }
  if (receiver.items) {
    if (method === 'get' && typeof first?.constant === 'number') return receiver.items[first.constant] ?? UNKNOWN;
    if (method === 'remove' && typeof first?.constant === 'number') {
      replaced(interpreter, facts, { ...receiver, items: receiver.items.toSpliced(first.constant, 1) });
      return receiver.items[first.constant] ?? UNKNOWN;
    }
    if (/^(toArray|iterator|stream|toList|collect|get|next|iterator|elements|nextElement)$/.test(method))
      return method === 'get' || method === 'next'
        ? receiver.items.reduce<Value>((all, one) => (all === UNKNOWN ? one : merge(all, one)), UNKNOWN)
        : receiver;
    if (method === 'addAll' && first?.items) {
      replaced(interpreter, facts, { ...receiver, items: [...receiver.items, ...first.items] });
      return UNKNOWN;
    }
  }
  if (
    /^(append|insert|replace|reverse|deleteCharAt|delete)$/.test(method) &&
    /^String(Builder|Buffer)$/.test(receiver.ref ?? '')
  ) {
    const added =
      method === 'insert' ? args.slice(1) : method === 'append' ? args.slice(0, 1) : args.filter((one) => one.taint);
    const text = { ...concat([textOf(receiver), ...added]), ref: receiver.ref };
    replaced(interpreter, facts, text);
    return text;
  }
  if (
    /^(toString|trim|strip|intern|toLowerCase|toUpperCase|normalize|toAbsolutePath|toRealPath|getCanonicalPath|getAbsolutePath|getPath|getCanonicalFile|toPath|toFile|toURI|toURL|getBytes|toCharArray|orElse|orElseThrow)$/.test(
      method,
    ) &&
    (receiver.shape !== undefined || receiver.taint || receiver.constant !== undefined)
  )
    return { ...receiver, ...(/^String(Builder|Buffer)$/.test(receiver.ref ?? '') ? { ref: 'String' } : {}) };
  if (method === 'resolve' && (receiver.ref === 'Path' || first?.taint))
    return { ...joined([receiver, ...args]), ref: 'Path' };
  if (method === 'formatted') return formatted(node, receiver, args);
  if (/^replace(All)?$/.test(method) && receiver.taint && typeof first?.constant === 'string') {
    if (/^\[\^/.test(first.constant)) return clear(receiver, 'all');
    return clear(
      receiver,
      /\\?[rn\r\n]|\\s|\\W|\p{Cc}/u.test(first.constant) ? ['log-injection', 'header-injection'] : [],
    );
  }
  return undefined;
}

const textOf = (value: Value): Value => (value.shape === undefined && !value.taint ? constant('') : value);

function joined(args: readonly Value[]): Value {
  return concat(args.flatMap((one, i) => (i === 0 ? [one] : [constant('/'), one])));
}

function mapOf(args: readonly Value[]): Value {
  const fields = new Map<string, Value>();
  for (let i = 0; i + 1 < args.length; i += 2) {
    const key = args[i]?.constant;
    const value = args[i + 1];
    if (key !== undefined && value) fields.set(String(key), value);
  }
  return { fields };
}

/** The variable at the root of a chain: `sb` of `sb.append(a).append(b)`. */
function rootOf(node: Expr): Expr {
  return node.k === 'call' && node.callee.k === 'member' ? rootOf(node.callee.object) : node;
}

function replaced(interpreter: Engine, { node, frame }: CallFacts, value: Value): void {
  const target = node.callee.k === 'member' ? rootOf(node.callee.object) : undefined;
  if (target && pathOf(target) !== undefined) assign(interpreter, target, value, frame, false);
}

function ofMap(interpreter: Engine, facts: CallFacts): Value | undefined {
  const { method, args, receiver, frame } = facts;
  const [key, value] = args;
  const fields = receiver.fields ?? new Map<string, Value>();
  switch (method) {
    case 'put':
    case 'setProperty':
    case 'putIfAbsent': {
      const name = key?.constant;
      const next = new Map(fields);
      if (name !== undefined && value) next.set(String(name), value);
      const taint = name === undefined && value ? mergeTaints(receiver.taint, taintOf(value)) : receiver.taint;
      replaced(interpreter, facts, {
        ...receiver,
        fields: next,
        open: receiver.open === true || name === undefined,
        ...(taint ? { taint } : {}),
      });
      return UNKNOWN;
    }
    case 'get':
    case 'getProperty':
    case 'getOrDefault': {
      if (key?.constant === undefined)
        return receiver.open === true ? (receiver.taint ? { taint: receiver.taint } : UNKNOWN) : memberOfAll(receiver);
      const found = fields.get(String(key.constant));
      if (found) return found;
      if (receiver.open === true) return receiver.taint ? { taint: receiver.taint } : UNKNOWN;
      return value ?? constant(null);
    }
    case 'load': {
      const name = /^resource (.+)$/.exec(key?.ref ?? '')?.[1];
      const text = name === undefined ? undefined : interpreter.modules.resource(frame.module, name);
      replaced(interpreter, facts, {
        ...receiver,
        fields: text === undefined ? fields : propertiesOf(text),
        open: text === undefined,
      });
      return UNKNOWN;
    }
    default:
      return undefined;
  }
}

/** A `.properties` file: `key = value`, `#` and `!` begin comments. */
function propertiesOf(text: string): Map<string, Value> {
  const found = new Map<string, Value>();
  for (const line of text.replace(/\\\r?\n\s*/g, '').split(/\r?\n/)) {
    const [, key, value] = /^\s*([^#!\s=:][^\s=:]*)\s*[=:]?\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined) found.set(key, constant((value ?? '').trim()));
  }
  return found;
}

/** `new T(…)`. */
function made(interpreter: Engine, facts: CallFacts, called: Value): Value | undefined {
  const { node, args, frame } = facts;
  const [first] = args;
  const { cls } = called;
  if (cls) {
    const hasMaker = cls.cls.members.some(({ name }) => name === 'constructor');
    if (node.callee.k !== 'class' && (hasMaker || args.length === 0)) return undefined;
    const instance: Instance = { of: cls, fields: new Map() };
    const self: Value = { instance, ref: cls.cls.name };
    let position = 0;
    for (const { name, type, value, isStatic } of cls.cls.members) {
      if (isStatic || value?.k === 'func') continue;
      instance.fields.set(
        name,
        value ? interpreter.value(value, cls.frame) : (args[position] ?? ofJavaType(type ?? '')),
      );
      position += 1;
    }
    // Nobody else sees the methods of a class without a name: they run where it is made.
    if (node.callee.k === 'class')
      for (const { value } of cls.cls.members)
        if (value?.k === 'func')
          interpreter.invoke(
            { fn: value.fn, frame: cls.frame, self },
            value.fn.params.map(({ type }) => ofJavaType(type ?? '')),
            new Map(),
            self,
            frame,
            true,
          );
    return self;
  }
  const name = node.callee.k === 'name' ? node.callee.name : '';
  if (LISTS.test(name))
    return { items: first?.items ?? [], ref: name, ...(first?.taint ? { taint: first.taint } : {}) };
  if (MAPS.test(name))
    return {
      fields: first?.fields ?? new Map(),
      ref: name,
      ...(first?.taint ? { taint: first.taint, open: true } : {}),
    };
  if (TEXTS.test(name)) return { ...(first && first.numeric !== true ? concat([first]) : constant('')), ref: name };
  if (PLACES.test(name)) return { ...joined(name === 'URL' ? args.slice(0, 3) : args), ref: name };
  const taint = args.reduce<Taint | undefined>((all, one) => mergeTaints(all, taintOf(one)), undefined);
  return { ref: name, ...(taint ? { taint } : {}) };
}
