import { ActionId, AgentName, StepName } from '@devmesh/contracts/ids';
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
  target: StepName,
  max_attempts: z.number().int().min(1).max(WORKFLOW_LIMITS.reworkRounds),
});
/** The name of a step, or of a built-in (`log_and_notify`, `fail`). */
const SourceBranch = z.union([StepName, Retry]);
const SourceBranches = z
  .union([SourceBranch, z.array(SourceBranch).min(1).max(20)])
  .transform((one) => (Array.isArray(one) ? one : [one]));
export type SourceBranch = z.infer<typeof SourceBranch>;

const QUORUM = /^quorum ([1-9][0-9]{0,2})$/;
/** How many needs must fire: null for all of them. */
const Join = z
  .string()
  .refine((text) => text === 'all' || text === 'any' || QUORUM.test(text), 'all, any, or quorum N')
  .transform((text) => (text === 'all' ? null : Number(QUORUM.exec(text)?.[1] ?? 1)));

const WholeReference = z.string().regex(/^\$\{\{[^}]*\}\}$/, 'a reference, ${{ steps.STEP.output.PATH }}');
const ForEach = z
  .union([
    WholeReference,
    z.strictObject({
      items: WholeReference,
      max_items: z.number().int().min(1).max(WORKFLOW_LIMITS.fanOutItems).optional(),
      max_parallel: z.number().int().min(1).max(WORKFLOW_LIMITS.fanOutItems).optional(),
    }),
  ])
  .transform((given) => (typeof given === 'string' ? { items: given } : given));

const SourceApproval = z.strictObject({
  title: z.string().min(1).max(200).optional(),
  of: StepName.optional(),
  deadline: Duration.optional(),
  remind_after: Duration.optional(),
  escalate_after: Duration.optional(),
  escalate_to: z.union([z.string(), z.array(z.string().min(1).max(200)).max(20)]).optional(),
  on_expiry: z.enum(['reject', 'fail']).optional(),
});
export type SourceApproval = z.infer<typeof SourceApproval>;

const SourceUndo = z.strictObject({
  action: ActionId,
  with: JsonObject.default({}),
  timeout: Duration.optional(),
});

export const SourceStep = z.strictObject({
  id: StepName.optional(),
  name: StepName.optional(),
  agent: AgentName.optional(),
  action: ActionId.optional(),
  with: JsonObject.default({}),
  /** A sub-workflow by its name. */
  workflow: z.string().max(64).optional(),
  approval: z.union([z.literal(true), SourceApproval]).optional(),
  needs: z.union([StepName, z.array(StepName)]).default([]),
  join: Join.default(null),
  losers: z.enum(['keep', 'cancel']).default('keep'),
  when: z.string().min(1).max(WORKFLOW_LIMITS.conditionLength).optional(),
  for_each: ForEach.optional(),
  undo: SourceUndo.optional(),
  fallback: z.strictObject({ output: JsonObject }).optional(),
  priority: z.number().int().min(-100).max(100).default(0),
  always: z.boolean().default(false),
  gate: z.boolean().optional(),
  timeout: Duration.optional(),
  retry: z
    .strictObject({
      max_attempts: z.number().int().min(1).max(WORKFLOW_LIMITS.retryAttempts).optional(),
      initial_delay: Delay.optional(),
      factor: z.number().min(1).max(10).optional(),
      max_delay: Delay.optional(),
      jitter: z.number().min(0).max(1).optional(),
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
  /** For the whole run, from its creation. */
  timeout: Duration.optional(),
  max_parallel_agents: z.number().int().min(1).max(WORKFLOW_LIMITS.steps).optional(),
  max_concurrent_workflows: z.number().int().min(1).max(10_000).optional(),
  allow_partial_completion: z.boolean().default(false),
  steps: z
    .array(SourceStep)
    .min(1, 'a workflow has at least one step')
    .max(WORKFLOW_LIMITS.steps, `a workflow has at most ${WORKFLOW_LIMITS.steps} steps`),
});
export type SourceWorkflow = z.infer<typeof SourceWorkflow>;
