import { z } from 'zod';
import { OnLost } from './action.js';
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
  /** Items of one fan-out, and their bytes as JSON. */
  fanOutItems: 200,
  fanOutBytes: 64 * 1024,
  /** Sub-workflows in one another. */
  nesting: 3,
  /** Characters of a condition. */
  conditionLength: 1000,
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

/**
 * Retries of failed or timed-out attempts. The wait before attempt n+1 is min(max, initial * factor^(n-1)), ms, less up to
 * `jitter` of it, told by the key: the same on every replay.
 */
export const RetryPolicy = z.object({
  maxAttempts: z.number().int().min(1).max(WORKFLOW_LIMITS.retryAttempts),
  initialDelayMs: z.number().int().min(0).max(3600_000),
  factor: z.number().min(1).max(10),
  maxDelayMs: z.number().int().min(0).max(3600_000),
  jitter: z.number().min(0).max(1).default(0.25),
});
export type RetryPolicy = z.infer<typeof RetryPolicy>;
export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 3,
  initialDelayMs: 500,
  factor: 2,
  maxDelayMs: 30_000,
  jitter: 0.25,
};

/** What a step asks of a person. */
export const ApprovalSpec = z.object({
  title: z.string().min(1).max(200),
  /** The step whose action and resolved input are bound to the approval; null: consent to going on. */
  of: StepId.nullable(),
  /** From the request: until when a verdict counts, ms; and when people are reminded and others are asked too. */
  deadlineMs: z.number().int().min(1).max(WORKFLOW_LIMITS.timeoutMs),
  remindMs: z.number().int().min(1).nullable(),
  escalateMs: z.number().int().min(1).nullable(),
  escalateTo: z.array(z.string().min(1).max(200)).max(20),
  /** What no verdict by the deadline comes to. */
  onExpiry: z.enum(['reject', 'fail']),
});
export type ApprovalSpec = z.infer<typeof ApprovalSpec>;

/** A step for each item of a list that an upstream step returned. */
export const FanOut = z.object({
  /** The inside of a `${{ reference }}`. */
  items: z.string().min(1).max(500),
  maxItems: z.number().int().min(1).max(WORKFLOW_LIMITS.fanOutItems),
  maxParallel: z.number().int().min(1).max(WORKFLOW_LIMITS.fanOutItems),
});
export type FanOut = z.infer<typeof FanOut>;

/** What takes back what a step did, when the run is aborted or a rework supersedes it. */
export const Undo = z.object({
  agent: AgentName,
  action: ActionId,
  with: JsonObject,
  timeoutMs: z.number().int().min(1).max(WORKFLOW_LIMITS.timeoutMs),
});
export type Undo = z.infer<typeof Undo>;

/** What a step is taken to have given when every attempt of it has failed; the run goes on, and says so. */
export const Fallback = z.object({ output: JsonObject });
export type Fallback = z.infer<typeof Fallback>;

/**
 * `action`: an execution at an agent. `approval`: a person decides. `group_start`, `group_end`: the two ends of a
 * sub-workflow, settled by the engine itself.
 */
export const StepKind = z.enum(['action', 'approval', 'group_start', 'group_end']);
export type StepKind = z.infer<typeof StepKind>;

/** The agent of steps that the engine itself settles. */
export const ENGINE_AGENT = 'orchestrator';

/**
 * A node of the graph, after parsing: names resolved, defaults filled in, inputs wired. Members with a default were added
 * after the first definitions had been stored.
 */
export const StepDefinition = z.object({
  id: StepId,
  kind: StepKind.default('action'),
  agent: AgentName,
  action: ActionId,
  /** Input template: JSON in which a string that is one `${{ reference }}` stands for the referenced value. */
  with: JsonObject,
  needs: z.array(StepId),
  /** How many of the needs must fire; null: all. */
  quorum: z.number().int().min(1).nullable().default(null),
  /** What becomes of needs that are still open when a quorum is reached. */
  losers: z.enum(['keep', 'cancel']).default('keep'),
  /** A condition in CEL; false: the step is skipped. */
  when: z.string().max(WORKFLOW_LIMITS.conditionLength).nullable().default(null),
  forEach: FanOut.nullable().default(null),
  approval: ApprovalSpec.nullable().default(null),
  /** The approval step that binds this step's input. */
  guardedBy: StepId.nullable().default(null),
  undo: Undo.nullable().default(null),
  fallback: Fallback.nullable().default(null),
  /** Of its action: what an outcome that nobody knows comes to. */
  onLost: OnLost.default('fail'),
  /** Among ready steps the highest goes first. */
  priority: z.number().int().min(-100).max(100).default(0),
  /** The end of the sub-workflow that it is a step of; that end speaks for it in the run's verdict. */
  within: StepId.nullable().default(null),
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
  /** For the whole run, ms. */
  timeoutMs: z.number().int().min(1).nullable().default(null),
  /** Executions at once in one run. */
  maxParallelAgents: z.number().int().min(1).nullable().default(null),
  /** Runs of this workflow at once in a project; further ones wait in the order of their priority. */
  maxConcurrentRuns: z.number().int().min(1).nullable().default(null),
  /** Failed steps leave the verdict `partial` when others succeeded. */
  allowPartialCompletion: z.boolean().default(false),
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
    'bad_condition',
    'limit',
  ]),
  line: z.number().int().positive(),
  column: z.number().int().positive(),
  message: z.string(),
});
export type WorkflowProblem = z.infer<typeof WorkflowProblem>;

export const WorkflowRef = z.object({ name: z.string(), digest: Digest });
export type WorkflowRef = z.infer<typeof WorkflowRef>;
