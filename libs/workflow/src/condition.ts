import type { StepId } from '@devmesh/contracts/ids';
import type { Json } from '@devmesh/contracts/json';
import { Environment, type ASTNode } from '@marcbachmann/cel-js';

/** What a condition may speak of, under `run` and `steps`. */
export interface ConditionContext {
  readonly run: Readonly<Record<string, Json>>;
  readonly steps: Readonly<Record<StepId, Readonly<Record<string, Json>>>>;
}

// What is left out of an output makes the condition untellable, which is told; a regular expression could stop the whole process.
const REFUSED_FUNCTIONS = new Set(['matches']);

const environment = new Environment({ unlistedVariablesAreDyn: false })
  .registerVariable('run', 'map<string, dyn>')
  .registerVariable('steps', 'map<string, dyn>');

type Compiled = ReturnType<typeof environment.parse>;

// A workflow's few conditions are told again and again; their text is the key.
const compiled = new Map<string, Compiled>();
const KEPT = 500;

function compile(text: string): Compiled {
  const known = compiled.get(text);
  if (known) return known;
  const made = environment.parse(text);
  if (compiled.size >= KEPT) compiled.clear();
  compiled.set(text, made);
  return made;
}

function isNode(value: unknown): value is ASTNode {
  return value !== null && typeof value === 'object' && 'op' in value;
}

function walk(node: ASTNode, visit: (node: ASTNode) => void): void {
  visit(node);
  const follow = (value: unknown): void => {
    if (isNode(value)) walk(value, visit);
    else if (Array.isArray(value)) for (const item of value) follow(item);
  };
  follow(node.args);
}

export interface CheckedCondition {
  /** What is wrong with it, with the cure; undefined when nothing is. */
  readonly problem?: string;
  /** Steps that it names. */
  readonly steps: readonly StepId[];
}

/** Checks a condition without telling it: syntax, types, functions, and which steps it names. */
export function checkCondition(text: string): CheckedCondition {
  let parsed: Compiled;
  try {
    parsed = compile(text);
  } catch (error) {
    return { problem: firstLine(error), steps: [] };
  }
  const steps = new Set<StepId>();
  let refused: string | undefined;
  let loose = false;
  const named = new Set<ASTNode>();
  walk(parsed.ast, (node) => {
    if ((node.op === 'call' || node.op === 'rcall') && REFUSED_FUNCTIONS.has(node.args[0])) refused = node.args[0];
    if (node.op === '.' || node.op === '.?') {
      const [target, member] = node.args as [ASTNode, string];
      if (target.op === 'id' && target.args === 'steps') {
        steps.add(member);
        named.add(target);
      }
    }
    if (node.op === '[]' || node.op === '[?]') {
      const [target, index] = node.args;
      if (target.op === 'id' && target.args === 'steps' && index.op === 'value' && typeof index.args === 'string') {
        steps.add(index.args);
        named.add(target);
      }
    }
    if (node.op === 'id' && node.args === 'steps' && !named.has(node)) loose = true;
  });
  if (refused !== undefined)
    return { problem: `${refused}() is not to be had here; use ==, in, startsWith, endsWith or contains`, steps: [] };
  if (loose) return { problem: 'steps are named one by one: steps.NAME.output, steps["na-me"].status', steps: [] };
  const checked = parsed.check();
  if (!checked.valid) return { problem: firstLine(checked.error), steps: [...steps] };
  if (checked.type !== 'bool' && checked.type !== 'dyn')
    return { problem: `it gives ${checked.type ?? 'something else'}, and must give true or false`, steps: [...steps] };
  return { steps: [...steps] };
}

/** Whole numbers of JSON are integers here, so that `count + 1 == 3` means what it says. */
function celValue(value: Json): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(celValue);
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, celValue(member)]));
  return value;
}

/** Tells a condition. Throws `ConditionError` when it cannot be told, with why. */
export function tellCondition(text: string, context: ConditionContext): boolean {
  let told: unknown;
  try {
    told = compile(text)({ run: celValue(context.run), steps: celValue(context.steps) });
  } catch (error) {
    throw new ConditionError(firstLine(error));
  }
  if (typeof told !== 'boolean') throw new ConditionError('it gave neither true nor false');
  return told;
}

export class ConditionError extends Error {
  override readonly name = 'ConditionError';
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').slice(0, 300);
}
