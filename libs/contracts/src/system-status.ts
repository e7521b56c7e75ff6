import { z } from 'zod';

/** `degraded`: runs go on, slower or without some agent. `unhealthy`: they do not, or the mesh can't tell. */
export const SystemState = z.enum(['healthy', 'degraded', 'unhealthy']);
export type SystemState = z.infer<typeof SystemState>;

/** How much there is to do, from the rows of runs; all projects together. */
export const SystemLoad = z.object({
  /** Runs that are running or stuck. One that is queued or paused waits for something, and costs nothing. */
  activeRuns: z.number().int().nonnegative(),
  queuedRuns: z.number().int().nonnegative(),
  pausedRuns: z.number().int().nonnegative(),
  /** How long runs that want a turn now have waited for it, on average, ms; 0 when there are none. */
  meanWaitMs: z.number().nonnegative(),
  /** The longest of these waits, ms. */
  oldestWaitMs: z.number().nonnegative(),
});
export type SystemLoad = z.infer<typeof SystemLoad>;

/** `half_open`: its time is over, and the next call decides. */
export const BreakerState = z.enum(['closed', 'half_open', 'open']);
export type BreakerState = z.infer<typeof BreakerState>;

/** A breaker that `caller` has in front of `callee`. */
export const SeenBreaker = z.object({ caller: z.string(), callee: z.string(), state: BreakerState });
export type SeenBreaker = z.infer<typeof SeenBreaker>;

export const SystemRule = z.enum(['service_down', 'breaker_open', 'active_runs', 'mean_wait', 'oldest_wait']);
export type SystemRule = z.infer<typeof SystemRule>;

/** A rule that holds now. `value` and `limit` in runs or ms; null where the rule counts nothing. */
export const FiredRule = z.object({
  rule: SystemRule,
  state: SystemState.exclude(['healthy']),
  value: z.number().nullable(),
  limit: z.number().nullable(),
  /** What is the case, and where to look. */
  says: z.string(),
});
export type FiredRule = z.infer<typeof FiredRule>;

/** `GET /v1/status`. The state is that of the worst rule. */
export const SystemStatus = z.object({
  state: SystemState,
  rules: z.array(FiredRule),
  /** Of the services that answer. Only an open one makes a rule fire. */
  breakers: z.array(SeenBreaker),
  /** Null when state-persistence does not answer. */
  load: SystemLoad.nullable(),
});
export type SystemStatus = z.infer<typeof SystemStatus>;
