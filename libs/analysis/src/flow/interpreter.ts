import type { FlowLanguage } from '../parse/language.js';
import type { FindingClass } from '@devmesh/contracts/finding';
import { callOf } from './calls.js';
import type { Engine, Modules, Watcher } from './engine.js';
import { affirm, refine } from './guards.js';
import { importedLater, memberOfAll, newFrame } from './module-values.js';
import type { Argument, Class, Entry, Expr, ExprOf, Func, Handler, Module, Span, Stmt } from './ir.js';
import { namesIn } from './lower-javascript.js';
import { combined } from './operators.js';
import type { Model } from './models/model.js';
import { assign, lookup, pathOf } from './places.js';
import { valueOfType } from './types.js';
import {
  concat,
  constant,
  merge,
  mergeTaints,
  NUMBER,
  settled,
  taintOf,
  UNKNOWN,
  type ClassValue,
  type Closure,
  type Frame,
  type Instance,
  type ModuleState,
  type Origin,
  type Station,
  type Taint,
  type Value,
} from './value.js';

/** Thrown when the time or the steps of a file are over. What was found until then stands. */
export class OutOfTime extends Error {}

const MAX_DEPTH = 7;
/** Calls that no data of others takes part in are followed so deep: far enough for factories and constants. */
const PLAIN_DEPTH = 3;
/** How often a function is run for different arguments; after that its last answer stands. */
const MAX_RUNS = 40;
const MAX_PLAIN_RUNS = 6;
/** How often the time is looked at, in steps: some hundred us of work. */
const STEPS_PER_LOOK = 4096;

/** Walks modules with what is known of each value: constants, where it comes from, what it is called. One for each review. */
export class Interpreter implements Engine {
  #steps = 0;
  #isOver: () => boolean = () => false;
  readonly #memo = new WeakMap<Func, Map<string, Value>>();
  readonly #active = new Map<Func, number>();
  readonly #expressions = new Map<Func, Closure>();
  readonly #typed = new WeakMap<Class, Value>();
  readonly #runs = new WeakMap<Func, { plain: number; all: number; last: Value }>();

  constructor(
    readonly models: Readonly<Record<FlowLanguage, Model>>,
    readonly modules: Modules,
    readonly watcher: Watcher,
  ) {}

  /** Sets the limit for what follows. */
  limit(isOver: () => boolean): void {
    this.#isOver = isOver;
    this.#steps = 0;
  }

  /** Runs the top level of a module. */
  evaluate(module: Module, state: ModuleState): void {
    const frame = newFrame(state, undefined, undefined, undefined, 0);
    state.frame = frame;
    if (state.language === 'javascript') {
      frame.vars.set('exports', { ref: 'exports' });
      frame.vars.set('module', { ref: 'module' });
    }
    this.block(module.body, frame);
    if (state.language !== 'javascript')
      for (const [name, value] of frame.vars) if (!name.includes('.')) state.exports.set(name, value);
  }

  model(frame: Frame): Model {
    return this.models[frame.module.language];
  }

  source(origin: Origin, span: Span, note: string, frame: Frame, text = false): Value {
    const way: Station = { path: frame.module.path, start: span.start, end: span.end, note, before: undefined };
    return { taint: { origin, way, cleared: new Set<FindingClass>(), structured: !text } };
  }

  /** Runs statements; true when what comes after them is never reached from their end. */
  block(body: readonly Stmt[], frame: Frame): boolean {
    // Functions and classes are there before the first line.
    for (const one of body) {
      if (one.k === 'func')
        frame.vars.set(one.fn.name, { closures: [{ fn: one.fn, frame, self: undefined }], ref: `?${one.fn.name}` });
    }
    for (const one of body) if (this.statement(one, frame)) return true;
    return false;
  }

  statement(node: Stmt, frame: Frame): boolean {
    if ((this.#steps += 1) % STEPS_PER_LOOK === 0 && this.#isOver()) throw new OutOfTime();
    switch (node.k) {
      case 'expr':
        this.value(node.value, frame);
        affirm(this, node.value, frame);
        return node.value.k === 'call' && /^(process\.exit|sys\.exit|exit|abort|quit)$/.test(calleeText(node.value));
      case 'func':
        this.#decorated(node.fn.decorators, frame);
        frame.vars.set(node.fn.name, { closures: [{ fn: node.fn, frame, self: undefined }], ref: `?${node.fn.name}` });
        return false;
      case 'class':
        frame.vars.set(node.cls.name, this.#class(node.cls, frame));
        return false;
      case 'return': {
        const value = node.value ? this.value(node.value, frame) : UNKNOWN;
        if (node.value) this.watcher.returned(value, frame, node.value);
        frame.returned = frame.returned ? merge(frame.returned, value) : value;
        return true;
      }
      case 'throw':
        if (node.value) this.value(node.value, frame);
        return true;
      case 'leave':
        return true;
      case 'if':
        return this.#branch(node, frame);
      case 'loop':
        this.#loop(node, frame);
        return false;
      case 'try':
        return this.#attempt(node.body, node.handlers, node.last, frame);
      case 'switch':
        return this.#switch(node, frame);
      case 'block':
        return this.block(node.body, frame);
      case 'assert':
        this.value(node.test, frame);
        refine(this, node.test, true, frame);
        return false;
      case 'import': {
        for (const { imported, local } of node.names)
          frame.vars.set(local, importedLater(this.modules, frame.module, node.module, imported, node.level));
        return false;
      }
      case 'export':
        frame.module.exports.set(node.exported, this.value(node.value, frame));
        return false;
      case 'reexport': {
        const { exports, stars } = frame.module;
        const path = this.modules.find(frame.module, node.module, 0);
        if (path === undefined) return false;
        if (node.names.length === 0) stars.push(path);
        for (const { imported, local } of node.names)
          exports.set(local, importedLater(this.modules, frame.module, node.module, imported, 0));
        return false;
      }
    }
  }

  #made(fn: Func, frame: Frame): Value {
    const closure = { fn, frame, self: frame.self };
    if (!this.#expressions.has(fn)) this.#expressions.set(fn, closure);
    return { closures: [closure] };
  }

  /** Functions of a module that were made and handed on, and that nobody has run. */
  unrun(module: ModuleState): Closure[] {
    return [...this.#expressions.values()].filter(({ fn, frame }) => frame.module === module && !this.#runs.has(fn));
  }

  #decorated(marks: readonly Expr[], frame: Frame): void {
    for (const mark of marks) this.value(mark, frame);
  }

  #branch(node: Extract<Stmt, { k: 'if' }>, frame: Frame): boolean {
    const test = this.value(node.test, frame);
    const known = test.constant;
    const before = frame.vars;
    let thenVars: Map<string, Value> | undefined;
    if (known === undefined || known === null || known) {
      frame.vars = new Map(before);
      refine(this, node.test, true, frame);
      if (!this.block(node.consequent, frame)) thenVars = frame.vars;
      if (typeof known === 'boolean' || typeof known === 'number') {
        if (thenVars) return false;
        if (known) return true;
      }
    }
    frame.vars = new Map(before);
    refine(this, node.test, false, frame);
    const ended = this.block(node.otherwise, frame);
    if (ended && !thenVars) return true;
    if (ended && thenVars) frame.vars = thenVars;
    else if (thenVars) frame.vars = mergeVars(thenVars, frame.vars);
    return false;
  }

  #loop(node: Extract<Stmt, { k: 'loop' }>, frame: Frame): void {
    const iter = node.iter ? this.value(node.iter, frame) : undefined;
    const before = new Map(frame.vars);
    for (let round = 0; round < 2; round += 1) {
      if (node.test) {
        this.value(node.test, frame);
        refine(this, node.test, true, frame);
      }
      if (node.target && iter) this.bind(node.target, node.over === 'in' ? keyOfValue(iter) : memberOfAll(iter), frame);
      this.block(node.body, frame);
      if (node.update) this.value(node.update, frame);
      frame.vars = mergeVars(before, frame.vars);
      if (frame.depth > 3) break;
    }
  }

  #attempt(body: readonly Stmt[], handlers: readonly Handler[], last: readonly Stmt[], frame: Frame): boolean {
    const before = new Map(frame.vars);
    const ended = this.block(body, frame);
    const after = frame.vars;
    let reached = ended ? undefined : after;
    for (const handler of handlers) {
      frame.vars = mergeVars(before, after);
      if (handler.name) this.bind(handler.name, { ref: 'ERROR' }, frame);
      if (!this.block(handler.body, frame)) reached = reached ? mergeVars(reached, frame.vars) : frame.vars;
    }
    frame.vars = reached ?? after;
    return this.block(last, frame) || (reached === undefined && (ended || handlers.length > 0));
  }

  #switch(node: Extract<Stmt, { k: 'switch' }>, frame: Frame): boolean {
    const on = this.value(node.value, frame);
    const before = frame.vars;
    let reached: Map<string, Value> | undefined;
    let chosen: number | undefined;
    if (on.constant !== undefined) {
      const tests = node.cases.map(({ test }) => test && this.value(test, frame).constant);
      chosen = tests.findIndex((test, i) => node.cases[i]?.test && test === on.constant);
      if (chosen < 0 && node.cases.every(({ test }, i) => !test || tests[i] !== undefined))
        chosen = node.cases.findIndex(({ test }) => !test);
    }
    let falls: Map<string, Value> | undefined;
    for (const [i, { test, body }] of node.cases.entries()) {
      if (chosen !== undefined && chosen >= 0 && i < chosen) continue;
      frame.vars = falls ? mergeVars(before, falls) : new Map(before);
      const path = pathOf(node.value);
      if (test && !falls && path !== undefined) frame.vars.set(path, this.value(test, frame));
      const ended = this.block(body, frame);
      const leaves = body.some(
        (one) => one.k === 'leave' || (one.k === 'block' && one.body.some(({ k }) => k === 'leave')),
      );
      if (leaves || !ended) reached = reached ? mergeVars(reached, frame.vars) : frame.vars;
      falls = ended ? undefined : frame.vars;
      if (chosen !== undefined && chosen >= 0 && ended) break;
    }
    const total = node.cases.some(({ test }) => test === undefined) || (chosen ?? -1) >= 0;
    frame.vars = reached ? (total ? reached : mergeVars(before, reached)) : before;
    return total && reached === undefined && node.cases.length > 0;
  }

  #class(cls: Class, frame: Frame): Value {
    this.#decorated(cls.decorators, frame);
    const value: ClassValue = { cls, frame };
    const fields = new Map<string, Value>();
    for (const member of cls.members) {
      if (member.isStatic && member.value && member.value.k !== 'func')
        fields.set(member.name, this.value(member.value, frame));
    }
    for (const base of cls.bases) this.value(base, frame);
    return { cls: value, ref: `?${cls.name}`, ...(fields.size > 0 ? { fields, open: true } : {}) };
  }

  value(node: Expr, frame: Frame): Value {
    if ((this.#steps += 1) % STEPS_PER_LOOK === 0 && this.#isOver()) throw new OutOfTime();
    switch (node.k) {
      case 'const':
        return constant(node.value);
      case 'regex':
        return { regex: { pattern: node.pattern, flags: node.flags } };
      case 'name':
        return this.#name(node, frame);
      case 'text': {
        const text = concat(node.parts.map((part) => this.value(part, frame)));
        this.watcher.text(text, frame, node);
        return this.#passed(text, node, 'put into a text', frame);
      }
      case 'member':
        return this.#member(node, frame);
      case 'index':
        return this.#index(node, frame);
      case 'call':
        return callOf(this, node, frame);
      case 'object':
        return this.#object(node.entries, frame);
      case 'list':
        return this.#list(node.items, frame);
      case 'func':
        return this.#made(node.fn, frame);
      case 'class':
        return this.#class(node.cls, frame);
      case 'assign':
        return this.#assign(node, frame);
      case 'default':
        return merge(this.value(node.target, frame), this.value(node.value, frame));
      case 'op':
        return combined(this, node, frame);
      case 'cond': {
        const test = this.value(node.test, frame).constant;
        if (typeof test === 'boolean') return this.value(test ? node.consequent : node.otherwise, frame);
        const before = frame.vars;
        frame.vars = new Map(before);
        refine(this, node.test, true, frame);
        const then = this.value(node.consequent, frame);
        frame.vars = new Map(before);
        refine(this, node.test, false, frame);
        const otherwise = this.value(node.otherwise, frame);
        frame.vars = before;
        return merge(then, otherwise);
      }
      case 'await':
        return this.value(node.value, frame);
      case 'element': {
        const attributes = new Map<string, Value>();
        for (const { key, value } of node.attributes) attributes.set(key ?? '...', this.value(value, frame));
        for (const child of node.children) this.value(child, frame);
        this.watcher.element(node, attributes, frame);
        return UNKNOWN;
      }
      case 'each': {
        const iter = this.value(node.iter, frame);
        const before = frame.vars;
        frame.vars = new Map(before);
        this.bind(node.target, memberOfAll(iter), frame);
        if (node.test) {
          this.value(node.test, frame);
          refine(this, node.test, true, frame);
        }
        const each = this.value(node.value, frame);
        frame.vars = before;
        const taint = taintOf(each);
        return { ...(taint ? { taint } : {}), items: [each] };
      }
      case 'other': {
        let taint: Taint | undefined;
        for (const child of node.children) taint = mergeTaints(taint, taintOf(this.value(child, frame)));
        return taint ? { taint } : UNKNOWN;
      }
    }
  }

  /** Adds a station to the way of what is tainted. */
  #passed(value: Value, span: Span, note: string, frame: Frame): Value {
    const { taint } = value;
    if (!taint || taint.way.start === span.start) return value;
    return {
      ...value,
      taint: { ...taint, way: { path: frame.module.path, start: span.start, end: span.end, note, before: taint.way } },
    };
  }

  #name(node: ExprOf<'name'>, frame: Frame): Value {
    const { name } = node;
    if (name === 'this') return frame.self ?? lookup(frame, 'this') ?? { ref: '?this' };
    const found = lookup(frame, name);
    if (found) return found;
    if (name === 'undefined') return constant(null);
    const beside = this.modules.neighbour(frame.module, name) ?? this.#ofBase(name, frame);
    if (beside) return beside;
    if (name === '__dirname' || name === '__filename' || name === '__file__') return { ref: name, safe: true };
    return this.#fromSource(name, node, frame) ?? { ref: name };
  }

  /** In Java, a field that a class has from another one is spoken of by its name alone. */
  #ofBase(name: string, frame: Frame): Value | undefined {
    const self = frame.module.language === 'java' && frame.self?.instance ? frame.self : undefined;
    return self?.instance && (self.instance.fields.get(name) ?? this.#inherited(self.instance, name, self, frame));
  }

  #fromSource(ref: string, span: Span, frame: Frame): Value | undefined {
    const source = this.model(frame).source(ref);
    return source && { ...this.source(source.origin, span, source.note, frame, source.text), ref };
  }

  #member(node: ExprOf<'member'>, frame: Frame): Value {
    const path = pathOf(node);
    const known = path === undefined ? undefined : lookup(frame, path);
    if (known) return known;
    return this.memberOf(this.value(node.object, frame), node.name, node, frame);
  }

  memberOf(object: Value, name: string, span: Span, frame: Frame): Value {
    const own = object.instance || object.cls ? undefined : this.#ofProject(object, frame);
    if (own) return this.memberOf(own, name, span, frame);
    if (object.instance) {
      const own = object.instance.fields.get(name) ?? this.#inherited(object.instance, name, object, frame);
      if (own) return own;
    }
    const field =
      object.fields?.get(name) ?? (object.items && /^\d+$/.test(name) ? object.items[Number(name)] : undefined);
    if (field) return settled(field);
    const further = object.member?.(name);
    if (further) return further;
    if (object.cls) {
      const method = object.cls.cls.members.find((one) => one.name === name && one.value?.k === 'func');
      if (method?.value?.k === 'func')
        return { closures: [{ fn: method.value.fn, frame: object.cls.frame, self: object }] };
    }
    const ref = object.ref === undefined ? undefined : `${object.ref}.${name}`;
    const source = ref === undefined ? undefined : this.#fromSource(ref, span, frame);
    if (source) return source;
    if (name === 'length' || name === 'size') return NUMBER;
    if (object.fields && object.open !== true) return ref === undefined ? UNKNOWN : { ref };
    const taint = object.taint;
    return {
      ...(ref === undefined ? {} : { ref }),
      ...(taint ? { taint } : object.safe === true ? { safe: true } : {}),
    };
  }

  /** An object of which only its type is known, when that is a type of the project. */
  #ofProject({ ref, taint, fields, items, closures }: Value, frame: Frame): Value | undefined {
    const { language } = frame.module;
    if (ref === undefined || fields || items || closures || (language !== 'go' && language !== 'java'))
      return undefined;
    if (!/^([\w.-]+\/)*(\w+\.)?\w+$/.test(ref)) return undefined;
    const cls =
      (/[./]/.test(ref) ? undefined : lookup(frame, ref)?.cls) ?? this.modules.neighbour(frame.module, ref)?.cls;
    if (!cls) return undefined;
    const known = this.#typed.get(cls.cls);
    if (known && !taint) return known;
    const own = new Map<string, Value>();
    for (const { name, type, value, isStatic } of cls.cls.members) {
      if (value?.k === 'func' || isStatic) continue;
      const typed = value ? this.value(value, cls.frame) : valueOfType(type ?? '', language);
      own.set(name, taint && typed.numeric !== true ? { ...typed, taint } : typed);
    }
    const made: Value = { instance: { of: cls, fields: own }, ref: `${ref}()` };
    if (!taint) this.#typed.set(cls.cls, made);
    return made;
  }

  #inherited(instance: Instance, name: string, self: Value, frame: Frame): Value | undefined {
    let at: ClassValue | undefined = instance.of;
    for (let depth = 0; at && depth < 5; depth += 1) {
      const member = at.cls.members.find((one) => one.name === name && !(one.isStatic && one.value?.k !== 'func'));
      if (member?.value?.k === 'func') {
        const closure = { fn: member.value.fn, frame: at.frame, self };
        return member.isGetter === true ? this.invoke(closure, [], new Map(), self, frame) : { closures: [closure] };
      }
      if (member?.value) return this.value(member.value, at.frame);
      const statics = at.cls.members.find((one) => one.name === name && one.value);
      if (statics?.value) return this.value(statics.value, at.frame);
      const [base]: readonly Expr[] = at.cls.bases;
      at = base ? this.value(base, at.frame).cls : undefined;
    }
    return undefined;
  }

  #index(node: ExprOf<'index'>, frame: Frame): Value {
    const object = this.value(node.object, frame);
    const index = this.value(node.index, frame);
    // The first two are the program itself.
    if (object.ref === 'process.argv' && (index.constant === 0 || index.constant === 1)) return {};
    if (typeof object.constant === 'string' && typeof index.constant === 'number')
      return constant(object.constant.at(index.constant) ?? null);
    if (index.constant !== undefined && index.constant !== null) {
      const at =
        typeof index.constant === 'number' && index.constant < 0 && object.items
          ? object.items.length + index.constant
          : index.constant;
      return this.memberOf(object, String(at), node, frame);
    }
    // One of a closed table: whatever the key, the value is one of those in it.
    if (object.fields || object.items) return memberOfAll(object);
    return {
      ...(object.taint ? { taint: object.taint } : {}),
      ...(object.ref === undefined ? {} : { ref: `${object.ref}.[]` }),
    };
  }

  #object(entries: readonly Entry[], frame: Frame): Value {
    const fields = new Map<string, Value>();
    let open = false;
    let taint: Taint | undefined;
    for (const entry of entries) {
      const value = this.value(entry.value, frame);
      const computed = entry.computed && this.value(entry.computed, frame);
      const key = entry.key ?? (computed?.constant === undefined ? undefined : String(computed.constant));
      if (key !== undefined) fields.set(key, value);
      else if (entry.spread === true && value.fields) {
        for (const [name, one] of value.fields) fields.set(name, one);
        open ||= value.open === true;
        taint = mergeTaints(taint, value.taint);
      } else {
        open = true;
        taint = mergeTaints(taint, taintOf(value));
      }
    }
    return { fields, open, ...(taint ? { taint } : {}) };
  }

  #list(list: readonly Argument[], frame: Frame): Value {
    const items: Value[] = [];
    let taint: Taint | undefined;
    for (const { value, spread } of list) {
      const one = this.value(value, frame);
      if (spread !== true) items.push(one);
      else if (one.items) items.push(...one.items);
      else {
        taint = mergeTaints(taint, taintOf(one));
        items.push(memberOfAll(one));
      }
    }
    return { items, ...(taint ? { taint } : {}) };
  }

  #assign(node: ExprOf<'assign'>, frame: Frame): Value {
    if (node.op === '') {
      const before = node.type === undefined ? UNKNOWN : declared(UNKNOWN, node.type, frame);
      for (const name of node.declares ? namesIn(node.target) : [])
        if (!frame.vars.has(name)) frame.vars.set(name, before);
      return UNKNOWN;
    }
    let value = this.value(node.value, frame);
    if (node.type !== undefined) value = declared(value, node.type, frame);
    if (node.op !== '=') {
      const before = this.value(node.target, frame);
      value =
        node.op === '+='
          ? before.items
            ? { ...before, items: [...before.items, ...(value.items ?? [value])] }
            : concat([before, value])
          : /^(\|\||&&|\?\?)=$/.test(node.op)
            ? merge(before, value)
            : NUMBER;
      if (node.op === '+=' && before.numeric === true && value.shape === undefined) value = NUMBER;
    }
    if (node.target.k === 'member' || node.target.k === 'index') {
      const object = this.value(node.target.object, frame);
      const name = node.target.k === 'member' ? node.target.name : '[]';
      this.watcher.assigned(node.target, `${object.ref ?? '?'}.${name}`, value, frame, node);
    } else this.watcher.assigned(node.target, node.target.k === 'name' ? node.target.name : '?', value, frame, node);
    this.bind(node.target, value, frame, node.declares);
    return value;
  }

  /** Gives a name, a member or a pattern its value. */
  bind(target: Expr, value: Value, frame: Frame, declares = true): void {
    switch (target.k) {
      case 'object': {
        const taken = new Set(target.entries.flatMap(({ key }) => key ?? []));
        for (const entry of target.entries) {
          if (entry.spread === true) {
            const rest = new Map([...(value.fields ?? [])].filter(([name]) => !taken.has(name)));
            this.bind(entry.value, { ...value, ...(value.fields ? { fields: rest } : {}) }, frame, declares);
          } else
            this.bind(
              entry.value,
              entry.key === undefined ? memberOfAll(value) : this.memberOf(value, entry.key, entry.value, frame),
              frame,
              declares,
            );
        }
        return;
      }
      case 'list':
        for (const [i, item] of target.items.entries()) {
          const rest = item.spread === true;
          this.bind(
            item.value,
            rest ? value : value.items ? (value.items[i] ?? UNKNOWN) : this.#part(value, i, target.items.length, frame),
            frame,
            declares,
          );
        }
        return;
      case 'default':
        // Where the value is known to be there, the default is not taken.
        this.bind(
          target.target,
          isKnown(value) ? value : merge(value, this.value(target.value, frame)),
          frame,
          declares,
        );
        return;
      default:
        assign(this, target, value, frame, declares);
    }
  }

  /** One of several things that a call gives; in Go the first is what was asked for, and the last says whether it came. */
  #part(value: Value, index: number, count: number, frame: Frame): Value {
    if (frame.module.language !== 'go') return memberOfAll(value);
    return index > 0 && index === count - 1 ? { ref: 'ERROR' } : value;
  }

  /** Runs a function with what is known of its arguments, and gives what it returns. */
  invoke(
    closure: Closure,
    args: readonly Value[],
    named: ReadonlyMap<string, Value>,
    self: Value | undefined,
    caller: Frame | undefined,
    isCallback = false,
  ): Value {
    const { fn } = closure;
    const depth = (caller?.depth ?? 0) + 1;
    const running = this.#active.get(fn) ?? 0;
    const taint = [...args, ...named.values()].reduce<Taint | undefined>(
      (all, one) => mergeTaints(all, taintOf(one)),
      undefined,
    );
    const isPlain =
      !taint && !isCallback && caller !== undefined && !args.some((one) => one.closures ?? one.ref?.startsWith('RE'));
    const runs = this.#runs.get(fn) ?? { plain: 0, all: 0, last: UNKNOWN };
    this.#runs.set(fn, runs);
    if (depth > MAX_DEPTH || running > 0) return taint ? { taint } : UNKNOWN;
    if (isPlain && (depth > PLAIN_DEPTH || runs.plain >= MAX_PLAIN_RUNS)) return runs.last;
    if (runs.all >= MAX_RUNS) return taint ? { taint } : runs.last;
    runs.all += 1;
    if (isPlain) runs.plain += 1;
    const memo = this.#memo.get(fn) ?? new Map<string, Value>();
    this.#memo.set(fn, memo);
    const isPure = closure.frame === closure.frame.module.frame && !self?.instance;
    const key = isPure
      ? [...args.map((one) => signature(one)), ...[...named].map(([name, one]) => `${name}=${signature(one)}`)].join(
          '|',
        )
      : '';
    const known = isPure ? memo.get(key) : undefined;
    if (known) return known;
    const frame = newFrame(closure.frame.module, closure.frame, fn, self ?? closure.self, depth);
    this.#active.set(fn, running + 1);
    try {
      this.#bindParameters(fn, args, named, frame, self ?? closure.self);
      this.block(fn.body, frame);
    } finally {
      this.#active.set(fn, running);
    }
    const result = frame.returned ?? UNKNOWN;
    if (!taintOf(result)) runs.last = result;
    if (isPure && memo.size < 200) memo.set(key, result);
    return result;
  }

  #bindParameters(
    fn: Func,
    args: readonly Value[],
    named: ReadonlyMap<string, Value>,
    frame: Frame,
    self: Value | undefined,
  ): void {
    let given = args;
    if (frame.module.language === 'python' && self) {
      const [first] = fn.params;
      const isStatic = fn.decorators.some((mark) => mark.k === 'name' && mark.name === 'staticmethod');
      if (first && !isStatic) given = [self, ...args];
    }
    for (const [i, parameter] of fn.params.entries()) {
      const name = parameter.target.k === 'name' ? parameter.target.name : '';
      if (parameter.rest === true) {
        const rest = given.slice(i);
        const taint = [...rest, ...named.values()].reduce<Taint | undefined>(
          (all, one) => mergeTaints(all, taintOf(one)),
          undefined,
        );
        this.bind(
          parameter.target,
          frame.module.language === 'javascript' ? { items: rest } : taint ? { taint } : UNKNOWN,
          frame,
        );
        continue;
      }
      const value = named.get(name) ?? given[i];
      const initial = parameter.initial ? this.value(parameter.initial, frame) : undefined;
      const { language } = frame.module;
      const isTyped = parameter.type !== undefined && (language === 'go' || language === 'java');
      const typed = isTyped ? valueOfType(parameter.type ?? '', language) : undefined;
      const own =
        value && typed?.ref !== undefined && value.ref === undefined
          ? { ...value, ref: typed.ref }
          : (value ?? initial ?? typed ?? { ref: `?${name}` });
      this.bind(parameter.target, own.ref === undefined && !isKnown(own) ? { ...own, ref: `?${name}` } : own, frame);
    }
  }
}

/** What a variable is declared as says more than the call that its value came from. */
function declared(value: Value, type: string, frame: Frame): Value {
  const typed = valueOfType(type, frame.module.language);
  if (typed.numeric === true) return value.constant === undefined ? typed : value;
  if (value.instance || value.items || value.fields || value.closures || /^(RE[QS]|resource )/.test(value.ref ?? ''))
    return value;
  return value.ref === undefined || /\(\)$|^Object$|^\?/.test(value.ref) ? { ...value, ref: typed.ref } : value;
}

function mergeVars(a: Map<string, Value>, b: Map<string, Value>): Map<string, Value> {
  const all = new Map<string, Value>();
  for (const [name, value] of a) {
    const other = b.get(name);
    // What is known of a member on one way only is not known after both.
    if (other) all.set(name, merge(value, other));
    else if (!name.includes('.')) all.set(name, value);
  }
  for (const [name, value] of b) if (!a.has(name) && !name.includes('.')) all.set(name, value);
  return all;
}

function isKnown(value: Value): boolean {
  return (
    (value.constant !== undefined && value.constant !== null) ||
    value.taint !== undefined ||
    value.fields !== undefined ||
    value.items !== undefined ||
    value.closures !== undefined ||
    value.instance !== undefined ||
    value.shape !== undefined
  );
}

function keyOfValue(value: Value): Value {
  if (value.fields && value.open !== true && value.taint === undefined) return UNKNOWN;
  return value.taint ? { taint: value.taint } : {};
}

function signature(value: Value, depth = 0): string {
  const { taint } = value;
  const own = [
    taint ? `${taint.origin}${[...taint.cleared].sort().join(',')}` : '',
    value.constant === undefined ? '' : String(value.constant),
    value.shape === undefined ? '' : value.shape,
    value.ref ?? '',
    value.closures ? value.closures.map(({ fn }) => `${fn.start}`).join(',') : '',
    value.cls ? value.cls.cls.name : '',
  ].join(';');
  if (depth > 2) return own;
  const inner = [...(value.items ?? []).map((one, i): [string, Value] => [String(i), one]), ...(value.fields ?? [])];
  const isShared = value.instance ? `#${value.instance.fields.size}` : '';
  return `${own}${isShared}{${inner
    .slice(0, 12)
    .map(([name, one]) => `${name}:${signature(one, depth + 1)}`)
    .join()}}`;
}

function calleeText(node: ExprOf<'call'>): string {
  return pathOf(node.callee) ?? '';
}
