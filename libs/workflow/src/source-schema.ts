import { ActionId, AgentName, StepId } from '@devmesh/contracts/ids';
import { JsonObject } from '@devmesh/contracts/json';
import { WORKFLOW_LIMITS } from '@devmesh/contracts/workflow';
import { z } from 'zod';

/** The longest wait between two attempts, as the stored form has it. */
const MAX_DELAY_MS = 3600_000;
const DURATION = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/;
const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3600_000, d: 86_400_000 } as const;

/** Milliseconds of `500ms`, `30s`, `5m`, `2h` or `1d`. */
const Duration = z
  .string()
  .regex(DURATION, 'a duration such as 500ms, 30s, 5m, 2h or 1d')
  .transform((text) => {
    const match = DURATION.exec(text);
    return Math.round(Number(match?.[1]) * UNIT_MS[match?.[2] as keyof typeof UNIT_MS]);
  })
  .pipe(z.number().min(1).max(WORKFLOW_LIMITS.timeoutMs, 'at most 7d'));
const Delay = Duration.pipe(z.number().max(MAX_DELAY_MS, 'at most 1h'));

const Retry = z.strictObject({
  action: z.literal('retry'),
  target: StepId,
  max_attempts: z.number().int().min(1).max(WORKFLOW_LIMITS.reworkRounds),
});
/** The name of a step, or of a built-in (`log_and_notify`, `fail`). */
const SourceBranch = z.union([StepId, Retry]);
const SourceBranches = z
  .union([SourceBranch, z.array(SourceBranch).min(1).max(20)])
  .transform((one) => (Array.isArray(one) ? one : [one]));
export type SourceBranch = z.infer<typeof SourceBranch>;

export const SourceStep = z.strictObject({
  id: StepId.optional(),
  name: StepId.optional(),
  agent: AgentName.optional(),
  action: ActionId.optional(),
  with: JsonObject.default({}),
  needs: z.union([StepId, z.array(StepId)]).default([]),
  always: z.boolean().default(false),
  gate: z.boolean().optional(),
  timeout: Duration.optional(),
  retry: z
    .strictObject({
      max_attempts: z.number().int().min(1).max(WORKFLOW_LIMITS.retryAttempts).optional(),
      initial_delay: Delay.optional(),
      factor: z.number().min(1).max(10).optional(),
      max_delay: Delay.optional(),
    })
    .default({}),
  on_success: SourceBranches.default([]),
  on_failure: SourceBranches.default([]),
  on_approval: SourceBranches.default([]),
  on_rejection: SourceBranches.default([]),
});
export type SourceStep = z.infer<typeof SourceStep>;

/** A workflow as people write it. */
export const SourceWorkflow = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'lower-case letters, digits, "-" and "_", at most 64'),
  version: z.number().int().positive().default(1),
  description: z.string().max(2000).default(''),
  /** Whether patches that reach no integrating step, and the report, get an implicit last step. */
  finish: z.boolean().default(true),
  steps: z
    .array(SourceStep)
    .min(1, 'a workflow has at least one step')
    .max(WORKFLOW_LIMITS.steps, `a workflow has at most ${WORKFLOW_LIMITS.steps} steps`),
});
export type SourceWorkflow = z.infer<typeof SourceWorkflow>;
