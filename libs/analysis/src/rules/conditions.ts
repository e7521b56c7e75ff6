import type { Node } from '../parse/syntax.js';
import { argumentOf } from './calls.js';
import { calleeIs, type Candidate } from './candidate.js';
import { Evaluator, isBuilt } from './evaluate.js';
import { PREDICATES } from './predicates.js';
import type { Condition, ValueTest } from './rule.js';

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
