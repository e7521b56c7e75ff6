import { initialise, injected } from './calls.js';
import { isChecked, meaningOf } from './entries.js';
import type { Engine } from './engine.js';
import type { Class, Func, Module, Stmt } from './ir.js';
import { lookup, pathOf } from './places.js';
import { isNumericType } from './types.js';
import type { Closure, Frame, Instance, ModuleState, Value } from './value.js';
import { NUMBER, UNKNOWN } from './value.js';

/** Runs what the top level of a module does not: functions and methods as somebody outside of the project would call them. */
export function analyseEntries(interpreter: Engine, module: Module, state: ModuleState): void {
  const { frame } = state;
  if (!frame) return;
  const functions = new Map<Func, Closure>();
  const known = [...frame.vars.values(), ...state.exports.values()];
  for (const value of known) collect(value, functions, 0);
  for (const closure of functions.values()) enter(interpreter, closure, undefined);
  for (const closure of new Set(known.flatMap((value) => resolversOf(value))))
    interpreter.invoke(closure, resolverArguments(interpreter, closure), new Map(), undefined, undefined);
  for (const cls of classesIn(module.body)) {
    const value = lookup(frame, cls.name) ?? [...state.exports.values()].find((one) => one.cls?.cls === cls);
    if (value?.cls?.cls === cls) enterClass(interpreter, value, value.cls.frame);
  }
  // A handler that was returned, or put into an object that nobody here calls. It may make others.
  for (let depth = 0; depth < 3; depth += 1)
    for (const closure of interpreter.unrun(state)) enter(interpreter, closure, undefined);
}

/** Whether a parameter is declared as an enumeration: whoever chooses, chooses one of its members. */
function isChoice(type: string | undefined, frame: Frame): boolean {
  // Enumerations of TypeScript are no classes, and what a name is declared as is looked up in other files.
  if (frame.module.language === 'javascript') return false;
  const bases = (type === undefined ? undefined : lookup(frame, type)?.cls?.cls.bases) ?? [];
  return bases.some((base) => /(^|\.)(Int|Str)?(Enum|Flag|Choices)$/.test(pathOf(base) ?? ''));
}

/** An object of the class that a parameter is declared as. */
function handedOver(interpreter: Engine, { ref }: Value, frame: Frame): Value | undefined {
  return ref?.startsWith('?') === true && /^\?[A-Z]/.test(ref)
    ? injected(interpreter, ref.slice(1), frame, frame)
    : undefined;
}

/** Functions that answer queries of GraphQL: `{ Query: { … }, Mutation: { … } }`. */
function resolversOf(value: Value): Closure[] {
  return ['Query', 'Mutation', 'Subscription'].flatMap((kind) =>
    [...(value.fields?.get(kind)?.fields?.values() ?? [])].flatMap((one) => one.closures ?? []),
  );
}

function resolverArguments(interpreter: Engine, { fn, frame }: Closure): Value[] {
  const given = fn.params[1]?.target;
  if (!given) return [];
  return [{}, interpreter.source('remote', given, 'an argument of a query', frame), {}, {}];
}

function collect(value: Value, into: Map<Func, Closure>, depth: number): void {
  for (const closure of value.closures ?? []) if (!into.has(closure.fn)) into.set(closure.fn, closure);
  if (depth > 2) return;
  for (const one of value.fields?.values() ?? []) collect(one, into, depth + 1);
  for (const one of value.items ?? []) collect(one, into, depth + 1);
}

function classesIn(body: readonly Stmt[]): Class[] {
  return body.flatMap((one): Class[] => {
    if (one.k === 'class') return [one.cls];
    if (one.k === 'block' || one.k === 'loop') return classesIn(one.body);
    if (one.k === 'if') return [...classesIn(one.consequent), ...classesIn(one.otherwise)];
    if (one.k === 'export' && one.value.k === 'class') return [one.value.cls];
    if (one.k === 'expr' && one.value.k === 'assign' && one.value.value.k === 'class') return [one.value.value.cls];
    return [];
  });
}

function enter(interpreter: Engine, closure: Closure, self: Value | undefined): void {
  const { language } = closure.frame.module;
  const made = interpreter.invoke(
    closure,
    argumentsOf(interpreter, closure.fn, closure.frame, self !== undefined),
    new Map(),
    self,
    undefined,
  );
  // Where types say what a function takes, one that is given back is known as it stands: `func list(db) http.HandlerFunc`.
  if (language === 'javascript' || language === 'python') return;
  for (const one of made.closures ?? [])
    if (one.frame.fn === closure.fn)
      interpreter.invoke(one, argumentsOf(interpreter, one.fn, one.frame, false), new Map(), one.self, undefined);
}

function argumentsOf(interpreter: Engine, fn: Func, frame: Frame, bound: boolean): Value[] {
  const { language, path } = frame.module;
  const isStatic = fn.decorators.some((mark) => mark.k === 'name' && mark.name === 'staticmethod');
  const given = language === 'python' && bound && !isStatic ? fn.params.slice(1) : fn.params;
  return given.map((parameter) => {
    if (isChecked(parameter, frame.module.text) || isChoice(parameter.type, frame)) return { safe: true };
    const meaning = meaningOf(fn, parameter, fn.params.indexOf(parameter), language, path, frame.module.text);
    const name = parameter.target.k === 'name' ? parameter.target.name : '';
    if (!meaning) {
      if (
        /^(number|int|float|boolean|bool)$/.test(parameter.type ?? '') ||
        isNumericType(parameter.type ?? '', language)
      )
        return NUMBER;
      return parameter.initial && name === '' ? UNKNOWN : { ref: `?${parameter.type ?? name}` };
    }
    if ('ref' in meaning) return { ref: meaning.ref };
    const { origin, note, text } = meaning.source;
    return {
      ...interpreter.source(origin, parameter.target, note, { ...frame, module: frame.module }, text),
      ref: `?${name}`,
    };
  });
}

/** Twice: a method may put into the object what another one takes out. */
function enterClass(interpreter: Engine, value: Value, frame: Frame): void {
  const { cls } = value;
  if (!cls) return;
  const instance: Instance = { of: cls, fields: new Map() };
  const self: Value = { instance, ref: '?this' };
  const maker = cls.cls.members.find(
    ({ name, value: one }) => (name === 'constructor' || name === '__init__') && one?.k === 'func',
  );
  const isView = cls.cls.bases.length > 0;
  const given =
    maker?.value?.k === 'func'
      ? argumentsOf(interpreter, maker.value.fn, frame, true).map((one) =>
          one.taint
            ? one.taint.origin === 'caller'
              ? { ref: one.ref }
              : one
            : (handedOver(interpreter, one, frame) ?? one),
        )
      : [];
  initialise(interpreter, self, instance, given, new Map(), frame);
  if (isView && frame.module.language === 'python' && !instance.fields.has('request'))
    instance.fields.set('request', { ref: 'REQ' });
  const methods = cls.cls.members.flatMap((member) =>
    member.value?.k === 'func' && member.value.fn !== (maker?.value?.k === 'func' ? maker.value.fn : undefined)
      ? [member.value.fn]
      : [],
  );
  const before = instance.fields.size;
  for (const fn of methods) enter(interpreter, { fn, frame, self }, self);
  if (instance.fields.size > before) for (const fn of methods) enter(interpreter, { fn, frame, self }, self);
}
