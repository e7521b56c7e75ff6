import type { Node } from '../parse/syntax.js';
import type { Bindings } from './bindings.js';
import { argumentOf, callView, type CallView } from './calls.js';
import { Evaluator, isBuilt } from './evaluate.js';
import { PREDICATES } from './predicates.js';
import type { Condition, ValueTest } from './rule.js';

/** What conditions look at: a node, the call that it is (if it is one), and what names mean in its file. */
export class Candidate {
  #call: CallView | undefined | null = null;
  #name: string | undefined;
  #member: string | null | undefined;

  constructor(
    readonly node: Node,
    readonly bindings: Bindings,
  ) {}

  get call(): CallView | undefined {
    if (this.#call === null) this.#call = callView(this.node);
    return this.#call;
  }

  /**
   * Whether what is called is one of these. Most calls are of nothing that a rule knows: the last word of the callee, as it
   * is written, says so without asking what names mean.
   */
  isCallOf(wanted: readonly string[]): boolean {
    const member = this.#calledMember();
    if (member !== null && !wanted.some((one) => one.endsWith(`.${member}`))) return false;
    this.#name ??= this.call ? this.bindings.nameOf(this.call.callee) : '';
    return this.#name !== '' && calleeIs(this.#name, wanted);
  }

  /** `load` of `x.load(…)`; null of a call that is not of a member. */
  #calledMember(): string | null {
    if (this.#member === undefined) {
      const callee = this.node.field('function') ?? this.node.field('constructor');
      this.#member = (callee?.field('property') ?? callee?.field('attribute'))?.text() ?? null;
    }
    return this.#member;
  }
}

const SQL =
  /^\s*\(*\s*(select|insert\s+into|update|delete\s+from|with|replace\s+into|merge|create|drop|alter|truncate)\b/i;

/** Whether all conditions hold. */
export function holds(conditions: readonly Condition[], of: Candidate): boolean {
  return conditions.every((condition) => one(condition, of));
}

function one(condition: Condition, of: Candidate): boolean {
  if ('callee' in condition) return of.isCallOf(condition.callee);
  if ('argument' in condition) {
    return of.call !== undefined && valueIs(argumentOf(of.call, condition.argument), condition.is, of);
  }
  if ('predicate' in condition) return PREDICATES[condition.predicate](of);
  if ('any' in condition) return condition.any.some((all) => holds(all, of));
  return !holds(condition.not, of);
}

/** `*.run` is a method of anything; a plain name is itself. */
export function calleeIs(name: string, wanted: readonly string[]): boolean {
  return wanted.some((one) => (one.startsWith('*.') ? name.endsWith(one.slice(1)) : name === one));
}

function valueIs(value: Node | undefined, test: ValueTest, { bindings, call }: Candidate): boolean {
  if (test === 'absent') return value === undefined && call?.open !== true;
  if (value === undefined) return false;
  if (test === 'present') return true;
  if (test === 'true' || test === 'false') return new Evaluator(bindings).constant(value)?.toLowerCase() === test;
  if ('names' in test) return calleeIs(bindings.nameOf(value), test.names);
  if ('matches' in test) {
    const text = new Evaluator(bindings).constant(value);
    return text !== undefined && test.matches.test(text);
  }
  const unless = test.unless;
  const parts = new Evaluator(bindings, unless ? (name) => unless.test(name) : undefined).parts(value);
  if (test.built === 'from-request') return parts.some((part) => 'hole' in part && part.tainted);
  if (!isBuilt(parts)) return false;
  return test.built === 'any' || SQL.test(parts.map((part) => ('text' in part ? part.text : '?')).join(''));
}
