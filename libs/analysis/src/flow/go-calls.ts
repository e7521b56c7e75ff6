import type { CallFacts, Engine } from './engine.js';
import { formatted } from './format.js';
import type { Expr } from './ir.js';
import { GO_NUMERIC, goResult, goType } from './models/go.js';
import { assign, pathOf } from './places.js';
import {
  clear,
  concat,
  constant,
  mergeTaints,
  NUMBER,
  taintOf,
  UNKNOWN,
  type Frame,
  type Instance,
  type Taint,
  type Value,
} from './value.js';

/** A field or a parameter of which only the type is known. */
export function ofType(type: string): Value {
  return GO_NUMERIC.test(type) ? NUMBER : { ref: goType(type) };
}

/** Functions that write into what is handed over, and from where: an argument, or what they are called on. */
const FILLS: Readonly<Record<string, { readonly from: number | 'receiver' | 'request'; readonly into: number }>> = {
  Unmarshal: { from: 0, into: 1 },
  Decode: { from: 'receiver', into: 0 },
  Sscanf: { from: 0, into: 2 },
  Sscan: { from: 0, into: 1 },
  Sscanln: { from: 0, into: 1 },
  ReadFull: { from: 0, into: 1 },
  Read: { from: 'receiver', into: 0 },
  Bind: { from: 'request', into: 0 },
  BindJSON: { from: 'request', into: 0 },
  BindQuery: { from: 'request', into: 0 },
  BindUri: { from: 'request', into: 0 },
  BindHeader: { from: 'request', into: 0 },
  BindXML: { from: 'request', into: 0 },
  BindYAML: { from: 'request', into: 0 },
  ShouldBind: { from: 'request', into: 0 },
  ShouldBindJSON: { from: 'request', into: 0 },
  ShouldBindQuery: { from: 'request', into: 0 },
  ShouldBindUri: { from: 'request', into: 0 },
  ShouldBindHeader: { from: 'request', into: 0 },
  ShouldBindWith: { from: 'request', into: 0 },
  ShouldBindXML: { from: 'request', into: 0 },
  ShouldBindYAML: { from: 'request', into: 0 },
  BodyParser: { from: 'request', into: 0 },
  QueryParser: { from: 'request', into: 0 },
  ParamsParser: { from: 'request', into: 0 },
  ReadJSON: { from: 'receiver', into: 0 },
  WriteString: { from: 0, into: -1 },
  Write: { from: 0, into: -1 },
};

/** What calls of Go mean beside the tables: makers of objects, formats, functions that fill what they are given. */
export function goCall(interpreter: Engine, facts: CallFacts, called: Value): Value | undefined {
  const { node, ref, method, args, named, frame, receiver } = facts;
  if (node.isNew) return made(facts, called);
  const [first] = args;
  const fill = FILLS[method];
  if (fill) filledFrom(interpreter, facts, fill);
  switch (ref) {
    case 'fmt.Sprintf':
    case 'fmt.Errorf':
      return first && formatted(node, first, args.slice(1));
    case 'fmt.Sprint':
    case 'fmt.Sprintln':
      return concat(args);
    case 'append':
      return {
        ...first,
        items: [...(first?.items ?? []), ...args.slice(1)],
        ...(first?.taint ? { taint: first.taint } : {}),
      };
    case 'path/filepath.Clean':
    case 'path.Clean':
      // From the root nothing leads further up.
      return (
        first &&
        clear(first, [
          ...(first.shape?.startsWith('/') === true ? (['path-traversal'] as const) : []),
          // One slash at the start is left of several, so it names no host.
          ...(ref === 'path.Clean' ? (['open-redirect', 'ssrf'] as const) : []),
        ])
      );
    case 'path/filepath.Join':
    case 'path.Join':
      return concat(args.flatMap((one, i) => (i === 0 ? [one] : [constant('/'), one])));
    case 'strconv.Atoi':
      return { numeric: true, ref: 'strconv.64' };
    case 'strconv.ParseInt':
    case 'strconv.ParseUint':
      // Read with a size that is not known here, it may be the right one.
      return args[2]?.constant === undefined
        ? NUMBER
        : { numeric: true, ref: `strconv.${String(args[2].constant === 0 ? 64 : args[2].constant)}` };
    case 'strconv.Itoa':
      return { safe: true };
    case 'make':
      return UNKNOWN;
  }
  if (method === 'String' && receiver.shape !== undefined && args.length === 0) return receiver;
  if (called.closures || called.cls) return undefined;
  const type = goResult(ref);
  if (type === undefined) return undefined;
  const taint = [...args, ...named.values()].reduce<Taint | undefined>(
    (all, one) => mergeTaints(all, taintOf(one)),
    undefined,
  );
  return {
    ref: type,
    ...(taint && type === 'OUTGOING' ? { taint } : {}),
    ...(frame && type === 'OUTGOING' ? { items: args } : {}),
  };
}

/** `T{…}`: an object of a type of the project with its fields, or of any other with those that are given. */
function made({ args, named, ref }: CallFacts, called: Value): Value {
  const { cls } = called;
  if (!cls)
    return {
      ref: goType(ref),
      ...(named.size > 0 || args.length === 0 ? { fields: named, open: true } : { items: args }),
    };
  const instance: Instance = { of: cls, fields: new Map(named) };
  let position = 0;
  for (const { name, type } of cls.cls.members) {
    if (type === undefined) continue;
    const given = args[position];
    position += 1;
    if (given) instance.fields.set(name, given);
    else if (!instance.fields.has(name)) instance.fields.set(name, ofType(type));
  }
  return { instance, ref: `${called.ref ?? ''}()` };
}

function filledFrom(
  interpreter: Engine,
  facts: CallFacts,
  { from, into }: { readonly from: number | 'receiver' | 'request'; readonly into: number },
): void {
  const { node, args, receiver, frame } = facts;
  let taint: Taint | undefined;
  if (from === 'receiver') taint = receiver.taint ?? taintOf(receiver);
  else if (from === 'request') {
    if (!/^(GIN|ECHO|FIBER)(\.|$)/.test(receiver.ref ?? '')) return;
    taint = interpreter.source('remote', node, 'the body of the request', frame).taint;
  } else {
    const given = args[from];
    taint = given && taintOf(given);
  }
  if (!taint) return;
  if (into < 0) {
    const target = node.callee.k === 'member' ? node.callee.object : undefined;
    if (target) fill(interpreter, target, taint, frame);
    return;
  }
  for (const { value } of node.args.slice(into)) fill(interpreter, value, taint, frame);
}

/** All that isn't a number becomes what was read. */
function fill(interpreter: Engine, target: Expr, taint: Taint, frame: Frame): void {
  if (pathOf(target) === undefined) return;
  const value = interpreter.value(target, frame);
  if (value.numeric === true || value.ref === 'RES') return;
  const { instance } = value;
  if (instance) {
    for (const { name, type } of instance.of.cls.members)
      if (type !== undefined) instance.fields.set(name, GO_NUMERIC.test(type) ? NUMBER : { taint, ref: goType(type) });
    return;
  }
  assign(interpreter, target, { taint, ...(value.ref === undefined ? {} : { ref: value.ref }) }, frame, false);
}
