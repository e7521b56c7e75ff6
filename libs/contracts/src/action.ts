import { z } from 'zod';
import type { ActionId } from './ids.js';

/**
 * What an action does to the world outside the mesh. `none`: it may run again, on another instance, after a crash.
 * `ledger`: so may it too, for each of its acts goes through the effect ledger. `once`: its key is claimed before it acts, and a
 * lapsed claim is resolved by `onLost`.
 */
export const Effects = z.enum(['none', 'ledger', 'once']);
export type Effects = z.infer<typeof Effects>;

/**
 * What becomes of a `once` execution whose instance died inside it, and of a `ledger` one of which nobody can tell. `probe` asks the
 * action whether it was done; `ask` asks a person.
 */
export const OnLost = z.enum(['probe', 'fail', 'ask']);
export type OnLost = z.infer<typeof OnLost>;

/** One typed operation of an agent: the contract that both sides run. */
export interface ActionContract<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly id: ActionId;
  /** One line for people: what it does. */
  readonly title: string;
  readonly input: I;
  readonly output: O;
  readonly effects: Effects;
  readonly onLost: OnLost;
  /** What a step gets that names the agent alone. One action of each agent has it. */
  readonly isDefault: boolean;
  /** Whether its output has a `verdict` that branches may depend on. */
  readonly givesVerdict: boolean;
  /** Default time for one attempt, ms. */
  readonly timeoutMs: number;
  /** Input members that a step leaves out come from these references (docs/engine.md, "Inputs of a step"). */
  readonly defaults: Readonly<Record<string, string>>;
}

type ActionOptions<I extends z.ZodType, O extends z.ZodType> = Pick<
  ActionContract<I, O>,
  'id' | 'title' | 'input' | 'output'
> &
  Partial<ActionContract<I, O>>;

/** Declares an action; what is left out is the most cautious common case of an action without effects. */
export function defineAction<I extends z.ZodType, O extends z.ZodType>(
  options: ActionOptions<I, O>,
): ActionContract<I, O> {
  return {
    effects: 'none',
    onLost: 'fail',
    isDefault: false,
    givesVerdict: false,
    timeoutMs: 10 * 60_000,
    defaults: {},
    ...options,
  };
}

/** Largest input and output of an execution as JSON, in bytes. What is larger travels as an artifact. */
export const MAX_INPUT_BYTES = 256 * 1024;
export const MAX_OUTPUT_BYTES = 32 * 1024;

export const Verdict = z.enum(['approved', 'rejected']);
export type Verdict = z.infer<typeof Verdict>;
