import type { ExprOf, Parameter } from './ir.js';
import { filled } from './lower-python.js';
import type { CallFacts, Engine } from './engine.js';
import { importedValue, memberOfAll } from './module-values.js';
import { meaningOf, ROUTE_METHODS, routeArguments } from './entries.js';
import { goCall } from './go-calls.js';
import { javaCall } from './java-calls.js';
import { assign, lookup, pathOf } from './places.js';
import { valueOfType } from './types.js';
import {
  clear,
  concat,
  constant,
  isHarmless,
  merge,
  mergeTaints,
  NUMBER,
  taintOf,
  UNKNOWN,
  type Closure,
  type Frame,
  type Instance,
  type Taint,
  type Value,
} from './value.js';

/** The value of a call: models first, then functions of the project, then what is usual. */
export function callOf(interpreter: Engine, node: ExprOf<'call'>, frame: Frame): Value {
  const { callee } = node;
  const isMember = callee.k === 'member';
  const receiver = isMember ? interpreter.value(callee.object, frame) : UNKNOWN;
  const found = isMember
    ? interpreter.memberOf(receiver, callee.name, callee, frame)
    : interpreter.value(callee, frame);
  const called = frame.module.language === 'java' ? overloaded(found, node.args.length) : found;
  const method = isMember ? callee.name : callee.k === 'name' ? callee.name : '';
  const ref = called.ref ?? (isMember ? `${receiver.ref ?? '?'}.${method}` : `?${method}`);
  const args: Value[] = [];
  const named = new Map<string, Value>();
  let open = false;
  for (const one of node.args) {
    const value = interpreter.value(one.value, frame);
    if (one.name !== undefined) named.set(one.name, value);
    else if (one.spread !== true) args.push(value);
    else if (value.items) args.push(...value.items);
    else {
      open = true;
      for (const [name, field] of value.fields ?? []) named.set(name, field);
      if (value.taint) args.push({ taint: value.taint });
    }
  }
  const facts: CallFacts = { node, ref, method, receiver, args, named, open, frame };
  interpreter.watcher.call(facts);
  const result = resultOf(interpreter, facts, called);
  if (result.taint && !result.taint.way.before && result.taint.way.start === node.start) return result;
  return result.taint ? step(result, node, frame, method) : result;
}

function step(value: Value, node: ExprOf<'call'>, frame: Frame, method: string): Value {
  const { taint } = value;
  if (!taint || taint.way.start === node.start) return value;
  return {
    ...value,
    taint: {
      ...taint,
      way: {
        path: frame.module.path,
        start: node.start,
        end: node.end,
        note: `passed through ${method || 'a function'}`,
        before: taint.way,
      },
    },
  };
}

function resultOf(interpreter: Engine, facts: CallFacts, called: Value): Value {
  const { ref, method, args, frame, node, receiver } = facts;
  const model = interpreter.model(frame);
  const { language } = frame.module;
  if (node.isNew && (language === 'go' || language === 'java')) runCallbacks(interpreter, facts);
  const loaded = loads(interpreter, facts) ?? ownCall(interpreter, facts, called);
  if (loaded) return loaded;
  const source = model.sourceCall(ref);
  if (source) {
    runCallbacks(interpreter, facts);
    return { ...interpreter.source(source.origin, node, source.note, frame, source.text), ref: `${ref}()` };
  }
  // What a function of the project does is looked at; only a name that promises a clean result is believed.
  const cleared =
    called.closures && /^_?(is|check|verify|valid)/i.test(method) ? undefined : model.cleanses(ref, method);
  if (cleared !== undefined) {
    runCallbacks(interpreter, facts);
    const all =
      method === ref
        ? allOf(facts)
        : [...(receiver.taint || receiver.shape !== undefined ? [receiver] : []), ...allOf(facts)];
    if (cleared !== 'all')
      return clear({ ...concat(all), ...(args[0]?.ref === undefined ? {} : { ref: args[0].ref }) }, cleared);
    return /^(parseInt|parseFloat|Number|int|float|len|round|abs)$/.test(method) ? NUMBER : { safe: true };
  }
  if (called.cls) return construct(interpreter, called, facts);
  if (node.isNew && called.closures?.length === 1 && called.closures[0])
    return constructByFunction(interpreter, called.closures[0], facts);
  if (called.closures && called.closures.length > 0) {
    let result: Value | undefined;
    for (const closure of called.closures) {
      const value = interpreter.invoke(
        closure,
        args,
        facts.named,
        receiver.instance || receiver.cls ? receiver : undefined,
        frame,
      );
      result = result ? merge(result, value) : value;
    }
    // A function of the project may call back.
    return result ?? UNKNOWN;
  }
  const special = builtIn(interpreter, facts);
  if (special) return special;
  const returned = runCallbacks(interpreter, facts);
  let taint: Taint | undefined = receiver.taint;
  if (model.passes(ref, method)) for (const one of allOf(facts)) taint = mergeTaints(taint, taintOf(one));
  if (returned && method === 'then') return returned;
  const shape =
    receiver.shape !== undefined && taint === receiver.taint && args.length === 0 ? receiver.shape : undefined;
  return {
    ref: `${ref}()`,
    ...(taint ? { taint: { ...taint, structured: taint.structured && !STRINGS.test(method) } } : {}),
    ...(shape === undefined ? {} : { shape }),
  };
}

/** Services that are handed to services, as deep as that. */
const MAX_INJECTED = 4;

function ownCall(interpreter: Engine, facts: CallFacts, called: Value): Value | undefined {
  const { language } = facts.frame.module;
  if (language === 'go') return goCall(interpreter, facts, called);
  if (language !== 'java' || interpreter.model(facts.frame).sourceCall(facts.ref)) return undefined;
  return javaCall(interpreter, facts, called);
}

/** Of several methods of one name, those that take as many arguments. */
function overloaded(called: Value, count: number): Value {
  const [first] = called.closures ?? [];
  const cls = (first?.self?.instance?.of ?? first?.self?.cls)?.cls;
  if (!first || !cls || first.fn.params.some(({ rest }) => rest === true)) return called;
  const fitting = cls.members.flatMap(({ name, value }) =>
    name === first.fn.name && value?.k === 'func' && value.fn.params.length === count
      ? [{ ...first, fn: value.fn }]
      : [],
  );
  return fitting.length > 0 ? { ...called, closures: fitting } : called;
}

const STRINGS =
  /^(toString|trim|strip|toLowerCase|toUpperCase|lower|upper|replace|replaceAll|slice|substring|join|String|str|format|decode|encode)$/;

const allOf = ({ args, named }: CallFacts): Value[] => [...args, ...named.values()];

/** `require`, `import()`, `promisify`, `bind`. */
function loads(interpreter: Engine, facts: CallFacts): Value | undefined {
  const { ref, method, args, frame, receiver, node } = facts;
  const [first] = args;
  if (
    (ref === 'require' || ref === 'import' || ref === 'importlib.import_module') &&
    typeof first?.constant === 'string'
  ) {
    const path = interpreter.modules.find(frame.module, first.constant, 0);
    const module = path === undefined ? undefined : interpreter.modules.load(path, 'javascript');
    const whole = module?.exports.get('module.exports');
    if (module && whole) return { ...whole, fields: new Map([...module.exports, ...(whole.fields ?? [])]), open: true };
    return module ? interpreter.modules.namespaceOf(module) : importedValue(first.constant, '*', 'javascript');
  }
  if (
    (ref === 'util.promisify' ||
      ref === 'functools.partial' ||
      ref === 'functools.wraps' ||
      method === 'wrapAsync' ||
      method === 'asyncHandler') &&
    first &&
    (first.closures || first.ref !== undefined)
  )
    return first;
  if (method === 'bind' && receiver.closures) return receiver;
  const later = startsLater(interpreter, facts);
  if (later) return later;
  if ((method === 'call' || method === 'apply') && receiver.closures && node.callee.k === 'member') {
    const given = method === 'apply' ? (args[1]?.items ?? args.slice(1)) : args.slice(1);
    return receiver.closures.reduce<Value>(
      (all, closure) => merge(all, interpreter.invoke(closure, given, new Map(), first, frame)),
      UNKNOWN,
    );
  }
  return undefined;
}

/** A function that is handed over with its arguments, to run by itself: a task of Celery, a thread, a job of a pool. */
function startsLater(interpreter: Engine, facts: CallFacts): Value | undefined {
  const { ref, method, args, named, receiver, frame } = facts;
  const [first, second, ...others] = args;
  const run = (fn: Value, given: readonly Value[], names: ReadonlyMap<string, Value>): Value => {
    for (const closure of fn.closures ?? []) interpreter.invoke(closure, given, names, closure.self, frame);
    return { ref: `${ref}()` };
  };
  if (receiver.closures && (method === 'delay' || method === 's' || method === 'si' || method === 'signature'))
    return run(receiver, args, named);
  if (receiver.closures && method === 'apply_async') {
    const kwargs = (named.get('kwargs') ?? second)?.fields;
    return run(receiver, (named.get('args') ?? first)?.items ?? [], kwargs ?? new Map<string, Value>());
  }
  if (/(^|\.)(Thread|Process|Timer)$/.test(ref)) {
    const target = named.get('target') ?? (method === 'Timer' ? second : undefined);
    return target?.closures ? run(target, named.get('args')?.items ?? [], new Map()) : undefined;
  }
  if (/^(submit|add_task|to_thread|start_soon|enqueue|add_job)$/.test(method) && first?.closures)
    return run(first, args.slice(1), named);
  if (method === 'run_in_executor' && second?.closures) return run(second, others, named);
  return undefined;
}

function construct(interpreter: Engine, called: Value, facts: CallFacts): Value {
  const { cls } = called;
  if (!cls) return UNKNOWN;
  const instance: Instance = { of: cls, fields: new Map() };
  const self: Value = { instance, ref: `${called.ref ?? ''}()` };
  initialise(interpreter, self, instance, facts.args, facts.named, facts.frame);
  const taint = facts.args.reduce<Taint | undefined>((all, one) => mergeTaints(all, taintOf(one)), undefined);
  return instance.fields.size === 0 && taint ? { ...self, taint } : self;
}

/** `new F()` of a plain function: what it puts into `this`, and what was put into its prototype. */
function constructByFunction(interpreter: Engine, closure: Closure, facts: CallFacts): Value {
  const { fn, frame } = closure;
  const cls = { start: fn.start, end: fn.end, name: fn.name, bases: [], members: [], decorators: [] };
  const instance: Instance = { of: { cls, frame }, fields: new Map() };
  const self: Value = { instance, ref: `${facts.ref}()` };
  const { callee } = facts.node;
  const prefix = callee.k === 'name' ? `${callee.name}.prototype.` : undefined;
  for (const [name, value] of prefix === undefined ? [] : frame.vars)
    if (name.startsWith(prefix ?? ''))
      instance.fields.set(name.slice(prefix?.length), {
        ...value,
        ...(value.closures ? { closures: value.closures.map((one) => ({ ...one, self })) } : {}),
      });
  const returned = interpreter.invoke(closure, facts.args, facts.named, self, facts.frame, true);
  return returned.fields || returned.instance ? returned : self;
}

/** What a container hands to a constructor: an object of the class that a parameter is declared as, made the same way. */
export function injected(
  interpreter: Engine,
  type: string | undefined,
  frame: Frame,
  caller: Frame,
): Value | undefined {
  const value = type !== undefined && caller.depth < MAX_INJECTED ? lookup(frame, type) : undefined;
  if (!value?.cls) return undefined;
  const instance: Instance = { of: value.cls, fields: new Map() };
  const self: Value = { instance, ref: `?${type}` };
  initialise(interpreter, self, instance, [], new Map(), { ...caller, depth: caller.depth + 1 });
  return self;
}

/** Fields, then the constructor, then TypeScript's parameter properties. */
export function initialise(
  interpreter: Engine,
  self: Value,
  instance: Instance,
  args: readonly Value[],
  named: ReadonlyMap<string, Value>,
  caller: Frame,
): void {
  const { cls, frame } = instance.of;
  for (const member of cls.members) {
    if (!member.isStatic && member.value && member.value.k !== 'func')
      instance.fields.set(member.name, interpreter.value(member.value, frame));
    else if (!member.value && member.type !== undefined)
      instance.fields.set(member.name, valueOfType(member.type, frame.module.language));
  }
  const maker = cls.members.find(
    ({ name, value }) => (name === 'constructor' || name === '__init__') && value?.k === 'func',
  );
  if (maker?.value?.k !== 'func') return;
  const { fn } = maker.value;
  for (const [i, { target, type }] of fn.params.entries()) {
    if (target.k !== 'name' || frame.module.language !== 'javascript') continue;
    if (!instance.fields.has(target.name))
      instance.fields.set(
        target.name,
        args[i] ?? injected(interpreter, type, frame, caller) ?? { ref: `?${type ?? target.name}` },
      );
  }
  interpreter.invoke({ fn, frame, self }, args, named, self, caller);
}

/** Callbacks run where they are handed over, so that they see what their surroundings hold. */
export function runCallbacks(interpreter: Engine, facts: CallFacts): Value | undefined {
  let result: Value | undefined;
  const given = [...facts.args, ...facts.named.values()];
  const listed = given.flatMap((one) => one.items ?? [one]);
  for (const one of listed) {
    for (const closure of one.closures ?? []) {
      const value = interpreter.invoke(
        closure,
        callbackArguments(interpreter, facts, closure),
        new Map(),
        undefined,
        facts.frame,
        true,
      );
      result = result ? merge(result, value) : value;
    }
    // Options with functions in them.
    for (const field of one.fields?.values() ?? []) {
      for (const closure of field.closures ?? [])
        interpreter.invoke(
          closure,
          callbackArguments(interpreter, facts, closure),
          new Map(),
          undefined,
          facts.frame,
          true,
        );
    }
  }
  return result;
}

function callbackArguments(interpreter: Engine, facts: CallFacts, closure: Closure): Value[] {
  const { method, receiver, args } = facts;
  const { fn } = closure;
  const event = args[0]?.constant;
  const isTyped = facts.frame.module.language === 'go' || facts.frame.module.language === 'java';
  if (isTyped) return typedArguments(fn, facts, closure);
  if (ROUTE_METHODS.has(method) || method === 'createServer' || (method === 'on' && event === 'request')) {
    const routed = routeArguments(facts, fn);
    if (routed) return routed;
  }
  if (/^(map|forEach|filter|some|every|find|findIndex|flatMap|each|sort)$/.test(method))
    return [memberOfAll(receiver), NUMBER];
  if (/^(reduce|reduceRight)$/.test(method)) return [args[1] ?? UNKNOWN, memberOfAll(receiver)];
  if (method === 'then' || method === 'tap') return [receiver];
  if (method === 'catch') return [{ ref: 'ERROR' }];
  if (method === 'on' && event === 'entry' && /zip|tar\b|parse|extract|archive/i.test(receiver.ref ?? ''))
    return [{ ref: 'ARCHIVED' }];
  if (method === 'addEventListener' && event === 'message') return [{ ref: 'MESSAGE' }];
  if (
    method === 'on' &&
    (event === 'message' || event === 'data') &&
    /(^|[.?])(ws|socket|sock|conn|connection|client|req|request|REQ)(\(\))?$/i.test(receiver.ref ?? '')
  )
    return [interpreter.source('remote', fn, 'a message of a client', facts.frame)];
  return fn.params.map((parameter, i) => {
    const meaning = meaningThere(fn, parameter, i, facts, closure);
    return meaning && 'ref' in meaning ? { ref: meaning.ref } : {};
  });
}

/** What a parameter means in the module that the function stands in, by the words of the caller's language. */
function meaningThere(
  fn: Closure['fn'],
  parameter: Parameter,
  index: number,
  { frame: { module } }: CallFacts,
  closure: Closure,
): ReturnType<typeof meaningOf> {
  const there = closure.frame.module;
  return meaningOf(fn, parameter, index, module.language, there.path, there.text);
}

/** Where types are written down, they say what comes. */
function typedArguments(fn: Closure['fn'], facts: CallFacts, closure: Closure): Value[] {
  return fn.params.map((parameter, i) => {
    const meaning = meaningThere(fn, parameter, i, facts, closure);
    if (meaning && 'ref' in meaning) return { ref: meaning.ref };
    if (parameter.type !== undefined) return valueOfType(parameter.type, facts.frame.module.language);
    return facts.receiver.taint ? { taint: facts.receiver.taint } : {};
  });
}

/** The values of `new Map([[key, value], …])`. */
function pairValues(items: readonly Value[] | undefined): Value[] | undefined {
  const values = items?.flatMap(({ items: pair }) => (pair?.length === 2 && pair[1] ? [pair[1]] : []));
  return values?.length === items?.length ? values : undefined;
}

/** All but a few characters are replaced, and those that are left end nothing: no quote, no separator, no space. */
const KEEPS_LITTLE = /^\(?\[\^(?:\\[wd.-]|[A-Za-z0-9_.-])+\][+*]?\)?$/;

/** `name.replace(/[^a-z]/g, '')`, `re.sub(r'[^a-z]', '', name)`. */
function replaced({ ref, method, receiver, args, named }: CallFacts): Value | undefined {
  const [first, second, third] = args;
  const isPython = ref === 're.sub';
  if (!isPython && method !== 'replace' && method !== 'replaceAll') return undefined;
  const pattern = first?.regex?.pattern ?? (isPython && typeof first?.constant === 'string' ? first.constant : '');
  const all = isPython ? !named.has('count') && args.length < 4 : first?.regex?.flags.includes('g') === true;
  const text = isPython ? third : receiver;
  if (!all || !text || !KEEPS_LITTLE.test(pattern)) return undefined;
  return second && isHarmless(second) ? clear({ ...text, items: undefined, fields: undefined }, 'all') : undefined;
}

const MUTATES = /^(push|append|add|unshift|insert|extend|appendChild|set|write|update|setdefault)$/;

/** Methods of texts, lists and objects whose result can be told. */
function builtIn(interpreter: Engine, facts: CallFacts): Value | undefined {
  const { ref, method, receiver, args, frame, node } = facts;
  const [first, second] = args;
  const target = node.callee.k === 'member' ? node.callee.object : undefined;
  if (
    target &&
    MUTATES.test(method) &&
    (receiver.items || receiver.fields || receiver.ref === undefined || /\(\)$|^\?\w+$/.test(receiver.ref)) &&
    pathOf(target) !== undefined
  )
    return mutated(interpreter, facts);
  if (receiver.items) {
    if (method === 'pop' || method === 'shift') {
      const at = method === 'shift' || first?.constant === 0 ? 0 : receiver.items.length - 1;
      if (target && pathOf(target) !== undefined)
        assign(interpreter, target, { ...receiver, items: receiver.items.toSpliced(at, 1) }, frame, false);
      return receiver.items[at] ?? UNKNOWN;
    }
    if (method === 'join')
      return concat(receiver.items.flatMap((one, i) => (i === 0 ? [one] : [first ?? constant(','), one])));
    if (method === 'at' && typeof first?.constant === 'number') return receiver.items.at(first.constant) ?? UNKNOWN;
    if (method === 'concat') return { items: [...receiver.items, ...args.flatMap((one) => one.items ?? [one])] };
    if (/^(slice|reverse|filter|sort|flat)$/.test(method)) {
      runCallbacks(interpreter, facts);
      return receiver;
    }
  }
  if (method === 'map' || method === 'flatMap') {
    const each = runCallbacks(interpreter, facts);
    const taint = each && taintOf(each);
    return each ? { items: [each], ...(taint ? { taint } : {}) } : undefined;
  }
  if (method === 'reduce') {
    const each = runCallbacks(interpreter, facts);
    return each ? merge(each, args[1]) : undefined;
  }
  if (method === 'find') {
    runCallbacks(interpreter, facts);
    return receiver.items ? memberOfAll(receiver) : undefined;
  }
  // A route of a server that was given settings (`app.set(…)`) is no look-up.
  if (
    method === 'get' &&
    receiver.fields &&
    typeof first?.constant === 'string' &&
    !receiver.taint &&
    !args.some((one) => one.closures)
  )
    return receiver.fields.get(first.constant) ?? second ?? UNKNOWN;
  // One of a closed table, whatever the key.
  if (method === 'get' && receiver.fields && receiver.open !== true && first && !receiver.taint && args.length <= 2)
    return second && second.constant === undefined ? merge(memberOfAll(receiver), second) : memberOfAll(receiver);
  // And of a Map, which keeps pairs.
  const values = method === 'get' && !receiver.taint && first ? pairValues(receiver.items) : undefined;
  if (values && values.length > 0 && !values.some((one) => one.closures))
    return values.slice(1).reduce((all, one) => merge(all, one), values[0] ?? UNKNOWN);
  if (method === 'pipe' && first && frame.module.language === 'javascript') return first;
  const text = replaced(facts);
  if (text) return text;
  switch (method) {
    case 'format':
      if (receiver.shape !== undefined) return formatted(facts);
      break;
    case 'join':
      if (receiver.shape !== undefined && first) return concat(first.items ?? [first]);
      break;
    case 'concat':
      if (receiver.shape !== undefined || receiver.taint) return concat([receiver, ...args]);
      break;
    case 'toLowerCase':
    case 'toUpperCase':
    case 'trim':
    case 'strip':
    case 'toString':
    case 'rstrip':
    case 'lstrip':
      if (receiver.constant !== undefined || receiver.shape !== undefined) return receiver;
      break;
    case 'charAt':
      if (typeof receiver.constant === 'string' && typeof first?.constant === 'number')
        return constant(receiver.constant.charAt(first.constant));
  }
  if (/^replace(All)?$/.test(method) && receiver.taint && replacesAll(facts) && /</.test(patternOf(first)))
    return clear({ taint: receiver.taint }, ['xss']);
  // Of known parts it is a known path; what others put into one is followed as it is.
  if (/^(path(\.posix|\.win32)?\.(join|resolve)|os\.path\.join)$/.test(ref) && !args.some((one) => taintOf(one)))
    return { ...concat(args.flatMap((one, i) => (i === 0 ? [one] : [constant('/'), one]))), ref: `${ref}()` };
  switch (ref) {
    // The page's own address as the base of another one: it adds nothing that somebody else chose.
    case 'URL':
      if (second && /(^|\.)(location|location\.(href|origin)|document\.(URL|baseURI))$/.test(second.ref ?? ''))
        return { ref: 'URL()', ...(first?.taint ? { taint: first.taint } : {}) };
      break;
    // The name of a file, which comes after the text, is for messages only.
    case 'compile':
    case 'builtins.compile':
      return { ref: 'compile()', ...(first?.taint ? { taint: first.taint } : {}) };
    case 'Object.assign':
      return args.reduce((all, one) => merge(all, one), UNKNOWN);
    case 'Object.freeze':
    case 'Promise.resolve':
    case 'asyncio.run':
    case 'structuredClone':
    case 'list':
    case 'tuple':
    case 'dict':
    case 'Set':
    case 'Map':
    case 'set':
      return first ?? (facts.named.size > 0 ? { fields: facts.named } : { items: [] });
    case 'Promise.all':
    case 'Promise.allSettled':
    case 'asyncio.gather':
      return ref === 'asyncio.gather' ? { items: args } : first;
    case 'react.useMemo':
    case 'React.useMemo':
    case 'vue.computed':
      return runCallbacks(interpreter, facts) ?? UNKNOWN;
    case 'Object.values':
      return first && { items: [memberOfAll(first)] };
    case 'Object.entries':
      return first && { items: [{ items: [first.taint ? { taint: first.taint } : {}, memberOfAll(first)] }] };
    case 'Buffer.from':
      return first?.constant === undefined ? undefined : { ...first, ref: 'Buffer.from()' };
    case 'String':
    case 'str':
      return first && first.constant === undefined ? concat([first]) : first;
    case 'RegExp':
    case 're.compile':
      return {
        ...(first?.taint ? { taint: first.taint } : {}),
        ref: `${ref}()`,
        ...(first?.regex
          ? { regex: first.regex }
          : typeof first?.constant === 'string'
            ? { regex: { pattern: first.constant, flags: '' } }
            : {}),
      };
  }
  return undefined;
}

const patternOf = (value: Value | undefined): string =>
  typeof value?.constant === 'string' ? value.constant : (value?.regex?.pattern ?? '');

/** JavaScript's `replace` with a text, or with a pattern that isn't global, replaces the first one only. */
function replacesAll({ method, args, frame }: CallFacts): boolean {
  return frame.module.language === 'python' || method === 'replaceAll' || args[0]?.regex?.flags.includes('g') === true;
}

function mutated(interpreter: Engine, facts: CallFacts): Value {
  const { method, receiver, args, frame, node } = facts;
  const target = node.callee.k === 'member' ? node.callee.object : undefined;
  if (!target) return UNKNOWN;
  const [first, second] = args;
  runCallbacks(interpreter, facts);
  if (receiver.items && (method === 'push' || method === 'append' || method === 'add')) {
    assign(
      interpreter,
      target,
      { ...receiver, items: receiver.items.length > 200 ? receiver.items : [...receiver.items, ...args] },
      frame,
      false,
    );
    return NUMBER;
  }
  if (method === 'set' && typeof first?.constant === 'string' && second) {
    const fields = new Map(receiver.fields ?? []);
    fields.set(first.constant, second);
    assign(interpreter, target, { ...receiver, fields, open: true }, frame, false);
    return receiver;
  }
  const taint = args.reduce<Taint | undefined>((all, one) => mergeTaints(all, taintOf(one)), receiver.taint);
  if (taint && taint !== receiver.taint) assign(interpreter, target, { ...receiver, taint, open: true }, frame, false);
  return { ...(receiver.ref === undefined ? {} : { ref: receiver.ref }), ...(taint ? { taint } : {}) };
}

/** `'…{}…'.format(a, b)`. */
function formatted({ receiver, args, named, node }: CallFacts): Value {
  const holes = [...args, ...named.values()];
  if (typeof receiver.constant !== 'string') return concat([receiver, ...holes]);
  const texts = receiver.constant.split(/\{[^{}]*\}/);
  const marks = holes.map((_, i) => ({ start: node.start, end: node.end, k: 'const' as const, value: i }));
  const order = filled(node, texts, marks);
  return concat(
    order.map((part) =>
      part.k === 'const' && typeof part.value === 'number'
        ? (holes[part.value] ?? UNKNOWN)
        : part.k === 'const'
          ? constant(part.value)
          : UNKNOWN,
    ),
  );
}
