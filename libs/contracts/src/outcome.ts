import { z } from 'zod';
import { Verdict } from './action.js';
import { ErrorCode } from './errors.js';
import { JsonObject } from './json.js';

/** What was spent, by the model calls of an execution. Costs in US dollars. */
export const Usage = z.object({
  inputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  costDollars: z.number().nonnegative(),
});
export type Usage = z.infer<typeof Usage>;

export const ExecutionError = z.object({
  code: ErrorCode,
  message: z.string().max(4000),
  /** Whether another attempt may succeed. A failure of the business is never retried, whatever its HTTP status. */
  retryable: z.boolean(),
});
export type ExecutionError = z.infer<typeof ExecutionError>;

/** How an execution ended. No edge of the graph fires without one, and an error's text is never passed on as an output. */
export const Outcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('succeeded'), output: JsonObject, verdict: Verdict.optional(), usage: Usage.optional() }),
  z.object({ kind: z.literal('failed'), error: ExecutionError }),
  /** Its not-after time passed. Recorded by the orchestrator, or told by the agent. */
  z.object({ kind: z.literal('timed_out') }),
  /** A `once` action's instance died inside it, and nobody can tell what it did. */
  z.object({ kind: z.literal('lost'), message: z.string().max(4000) }),
  z.object({ kind: z.literal('cancelled') }),
]);
export type Outcome = z.infer<typeof Outcome>;
