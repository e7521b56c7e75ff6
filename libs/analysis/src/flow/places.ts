import type { Expr } from './ir.js';
import type { Engine } from './engine.js';
import { merge, mergeTaints, settled, taintOf, type Frame, type Value } from './value.js';

/** `a.b.c` of a chain of names; undefined for anything else. */
export function pathOf(node: Expr): string | undefined {
  if (node.k === 'name') return node.name;
  if (node.k === 'await') return pathOf(node.value);
  if (node.k !== 'member') return undefined;
  const object = pathOf(node.object);
  return object === undefined ? undefined : `${object}.${node.name}`;
}

/** The frame in which a name is declared. */
function owner(frame: Frame, name: string): Frame | undefined {
  for (let at: Frame | undefined = frame; at; at = at.parent) if (at.vars.has(name)) return at;
  return undefined;
}

export function lookup(frame: Frame, name: string): Value | undefined {
  const found = owner(frame, name)?.vars.get(name);
  return found && settled(found);
}

/** Forgets what was known of members of a name. */
function forget(frame: Frame, path: string): void {
  for (const name of frame.vars.keys()) if (name.startsWith(`${path}.`)) frame.vars.delete(name);
}

/** Gives a name or a member its value. */
export function assign(interpreter: Engine, target: Expr, value: Value, frame: Frame, declares: boolean): void {
  if (target.k === 'name') {
    const at = declares ? frame : (owner(frame, target.name) ?? frame);
    // A captured variable may keep what it had.
    at.vars.set(target.name, at === frame ? value : merge(at.vars.get(target.name), value));
    forget(at, target.name);
    return;
  }
  if (target.k !== 'member' && target.k !== 'index') return;
  const index = target.k === 'index' ? interpreter.value(target.index, frame).constant : undefined;
  const name = target.k === 'member' ? target.name : index === undefined || index === null ? undefined : String(index);
  const object = interpreter.value(target.object, frame);
  if (object.ref === 'exports' || object.ref === 'module') {
    exportValue(object.ref, name ?? '?', value, frame);
    return;
  }
  if (object.ref === 'module.exports' && name !== undefined) {
    exportValue('exports', name, value, frame);
    return;
  }
  if (object.instance) {
    const before = name === undefined ? undefined : object.instance.fields.get(name);
    if (name !== undefined) object.instance.fields.set(name, before && frame.depth > 1 ? merge(before, value) : value);
    return;
  }
  const path = pathOf(target.object);
  if (path === undefined) return;
  if (object.fields || object.items || object.ref === undefined) {
    if (target.object.k === 'name')
      setField(owner(frame, target.object.name) ?? frame, target.object.name, object, name, value);
    else assign(interpreter, target.object, withField(object, name, value), frame, false);
    return;
  }
  if (name !== undefined) frame.vars.set(`${path}.${name}`, value);
}

function setField(frame: Frame, name: string, object: Value, field: string | undefined, value: Value): void {
  frame.vars.set(name, withField(object, field, value));
}

function withField(object: Value, field: string | undefined, value: Value): Value {
  if (field === undefined) {
    const taint = mergeTaints(object.taint, taintOf(value));
    return { ...object, ...(taint ? { taint } : {}), open: true };
  }
  if (object.items && /^\d+$/.test(field)) {
    const items = [...object.items];
    items[Number(field)] = value;
    return { ...object, items: Array.from(items, (one) => one ?? {}) };
  }
  const fields = new Map(object.fields ?? []);
  fields.set(field, value);
  return { ...object, fields, open: object.fields === undefined || object.open === true };
}

function exportValue(ref: string, name: string, value: Value, frame: Frame): void {
  for (const { fn } of value.closures ?? []) fn.exported = true;
  if (ref === 'module' && name === 'exports') {
    for (const [key, one] of value.fields ?? []) {
      for (const { fn } of one.closures ?? []) fn.exported = true;
      frame.module.exports.set(key, one);
    }
    frame.module.exports.set('module.exports', value);
    frame.module.exports.set('default', value);
  } else frame.module.exports.set(name, value);
}
