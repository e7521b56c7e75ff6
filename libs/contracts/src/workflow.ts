import { z } from 'zod';
import { ActionId, AgentName, Digest, StepId } from './ids.js';
import { JsonObject } from './json.js';

/** Limits of a workflow, refused at submit with the limit named. */
export const WORKFLOW_LIMITS = {
  sourceBytes: 256 * 1024,
  steps: 200,
  /** Largest `max_attempts` of a rejection handler. */
  reworkRounds: 100,
  /** Largest product of the rework rounds of loops that are nested in one another. */
  nestedRounds: 1000,
  retryAttempts: 20,
  timeoutMs: 7 * 24 * 3600_000,
  taskBytes: 1024 * 1024,
} as const;

/** What a step's settling may lead to, beside the steps that need it. */
export const Branch = z.discriminatedUnion('kind', [
  /** Lets `target` run; a step that only such branches lead to is skipped when none of them is taken. */
  z.object({ kind: z.literal('goto'), target: StepId }),
  /** Sends the target and everything downstream of it back for another iteration, at most `maxAttempts` times. */
  z.object({
    kind: z.literal('rework'),
    target: StepId,
    maxAttempts: z.number().int().min(1).max(WORKFLOW_LIMITS.reworkRounds),
  }),
  /** Records a notification; changes nothing else. */
  z.object({ kind: z.literal('log_and_notify') }),
  /** Ends the run as failed. */
  z.object({ kind: z.literal('fail') }),
]);
export type Branch = z.infer<typeof Branch>;

export const BRANCH_EVENTS = ['success', 'failure', 'approval', 'rejection'] as const;
export const BranchEvent = z.enum(BRANCH_EVENTS);
export type BranchEvent = z.infer<typeof BranchEvent>;

/** Retries of failed or timed-out attempts. The wait before attempt n+1 is min(max, initial * factor^(n-1)), ms. */
export const RetryPolicy = z.object({
  maxAttempts: z.number().int().min(1).max(WORKFLOW_LIMITS.retryAttempts),
  initialDelayMs: z.number().int().min(0).max(3600_000),
  factor: z.number().min(1).max(10),
  maxDelayMs: z.number().int().min(0).max(3600_000),
});
export type RetryPolicy = z.infer<typeof RetryPolicy>;
export const DEFAULT_RETRY: RetryPolicy = { maxAttempts: 3, initialDelayMs: 500, factor: 2, maxDelayMs: 30_000 };

/** A node of the graph, after parsing: names resolved, defaults filled in, inputs wired. */
export const StepDefinition = z.object({
  id: StepId,
  agent: AgentName,
  action: ActionId,
  /** Input template: JSON in which a string that is one `${{ reference }}` stands for the referenced value. */
  with: JsonObject,
  needs: z.array(StepId),
  /** Runs once everything it waits for has settled, whatever the outcome; not after a cancel. */
  always: z.boolean(),
  /** Its verdict decides: a rejection is a branch, and makes the run's verdict `rejected` when nothing mends it. */
  gate: z.boolean(),
  /** For one attempt, waiting for an instance included, ms. */
  timeoutMs: z.number().int().min(1).max(WORKFLOW_LIMITS.timeoutMs),
  retry: RetryPolicy,
  on: z.object({
    success: z.array(Branch),
    failure: z.array(Branch),
    approval: z.array(Branch),
    rejection: z.array(Branch),
  }),
});
export type StepDefinition = z.infer<typeof StepDefinition>;

/** A workflow as it is stored, addressed by the SHA-256 of its canonical JSON (RFC 8785), and pinned by its runs. */
export const WorkflowDefinition = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/),
  version: z.number().int().positive(),
  description: z.string().max(2000),
  steps: z.array(StepDefinition).min(1).max(WORKFLOW_LIMITS.steps),
});
export type WorkflowDefinition = z.infer<typeof WorkflowDefinition>;

/** A problem of a workflow's source. Lines and columns are 1-based. `message` says what is wrong and the cure. */
export const WorkflowProblem = z.object({
  code: z.enum([
    'yaml',
    'schema',
    'unknown_step',
    'duplicate_step',
    'unknown_action',
    'cycle',
    'unreachable_step',
    'unbounded_loop',
    'bad_reference',
    'limit',
  ]),
  line: z.number().int().positive(),
  column: z.number().int().positive(),
  message: z.string(),
});
export type WorkflowProblem = z.infer<typeof WorkflowProblem>;

export const WorkflowRef = z.object({ name: z.string(), digest: Digest });
export type WorkflowRef = z.infer<typeof WorkflowRef>;
