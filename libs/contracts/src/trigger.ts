import { z } from 'zod';
import { RunId, Timestamp, UnixMs } from './ids.js';
import { TaskText, WorkflowChoice } from './orchestrator-api.js';

/*
 * What starts runs by itself: a schedule (cron), or a delivery of a webhook. A firing is one occurrence or one delivery: a row
 * that is kept until its run is on record, so that it starts one run, and not two, whatever crashes.
 */

/** What a trigger submits. In `task` and `ref`, `${{ event }}`, `${{ branch }}` and `${{ body.PATH }}` stand for parts of a delivery. */
export const TriggerRun = z.object({
  task: TaskText.default(''),
  workflow: WorkflowChoice.optional(),
  repository: z.object({ url: z.url().max(4096), ref: z.string().max(1024).optional() }).optional(),
  priority: z.number().int().min(-100).max(100).optional(),
});
export type TriggerRun = z.infer<typeof TriggerRun>;

const Name = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,63}$/,
    'lower-case letters, digits, "-" and "_", at most 64, starting with a letter or digit',
  );
/** A name with at most one `*`, which stands for anything. */
const Pattern = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^*]*\*?[^*]*$/, 'at most one *');

export const TriggerOn = z.discriminatedUnion('kind', [
  /** Five fields (or six, with seconds first), in this time zone. Occurrences that were missed count as one. */
  z.object({
    kind: z.literal('schedule'),
    cron: z.string().min(1).max(200),
    timezone: z.string().min(1).max(64).default('UTC'),
  }),
  /** Signed deliveries; those of other events or branches are answered and start nothing. Empty lists let all pass. */
  z.object({
    kind: z.literal('webhook'),
    events: z.array(Pattern).max(20).default([]),
    branches: z.array(Pattern).max(20).default([]),
  }),
]);
export type TriggerOn = z.infer<typeof TriggerOn>;

export const CreateTrigger = z.object({
  name: Name,
  on: TriggerOn,
  run: TriggerRun,
  enabled: z.boolean().default(true),
});
export type CreateTrigger = z.input<typeof CreateTrigger>;

/** A trigger as people and other software see it. */
export const TriggerView = z.object({
  id: z.uuid(),
  name: z.string(),
  on: TriggerOn,
  run: TriggerRun,
  enabled: z.boolean(),
  createdBy: z.string(),
  createdAt: Timestamp,
  /** Of a schedule: its next occurrence. */
  nextAt: Timestamp.nullable(),
  lastFiredAt: Timestamp.nullable(),
  lastRunId: RunId.nullable(),
  /** Why the last firing started nothing. */
  lastError: z.string().nullable(),
  /** Of a webhook: where deliveries go, under the gateway's address. */
  path: z.string().nullable(),
});
export type TriggerView = z.infer<typeof TriggerView>;
export const TriggerList = z.object({ items: z.array(TriggerView) });
/** `secret` signs the deliveries of a webhook; it is shown this once. */
export const TriggerCreated = TriggerView.extend({ secret: z.string().nullable() });
export type TriggerCreated = z.infer<typeof TriggerCreated>;

/** What became of a delivery: on record as a firing, or why it starts nothing. */
export const DeliveryReply = z.object({ accepted: z.boolean(), reason: z.string().nullable() });
export type DeliveryReply = z.infer<typeof DeliveryReply>;

// Inside the mesh, at state-persistence.

/** A trigger with what only the gateway may know. */
export const TriggerRecord = TriggerView.omit({ path: true }).extend({
  projectId: z.string(),
  secret: z.string().nullable(),
});
export type TriggerRecord = z.infer<typeof TriggerRecord>;
export const TriggerPage = z.object({ items: z.array(TriggerRecord) });

export const StoreTrigger = CreateTrigger.extend({
  id: z.uuid(),
  projectId: z.string().max(64),
  createdBy: z.string().max(200),
  secret: z.string().max(200).nullable(),
  nextAt: UnixMs.nullable(),
});
export type StoreTrigger = z.infer<typeof StoreTrigger>;

/** A delivery, with the run that it asks for. The same key again is the same delivery. */
export const StoreFiring = z.object({ key: z.string().min(1).max(128), run: TriggerRun });
export type StoreFiring = z.infer<typeof StoreFiring>;
export const FiringStored = z.object({ fresh: z.boolean() });

/** `held`: firings that the caller is still at; their leases begin anew. */
export const DueFiringsRequest = z.object({
  limit: z.number().int().min(0).max(100),
  leaseMs: z.number().int().min(1000).max(3600_000),
  held: z.array(z.object({ triggerId: z.uuid(), key: z.string().max(128) })).max(100),
});
export type DueFiringsRequest = z.infer<typeof DueFiringsRequest>;
/** `key` names the firing within its trigger: the occurrence's time, or the delivery. */
export const Firing = z.object({ trigger: TriggerRecord, key: z.string(), run: TriggerRun });
export type Firing = z.infer<typeof Firing>;
export const DueFirings = z.object({ items: z.array(Firing), nextAt: UnixMs.nullable() });
export type DueFirings = z.infer<typeof DueFirings>;

/** What became of a firing. `nextAt`: of a schedule, its next occurrence. */
export const FiringResult = z.object({
  key: z.string(),
  runId: RunId.nullable(),
  error: z.string().max(2000).nullable(),
  /** When it is due again; null when it is settled for good. */
  retryAt: UnixMs.nullable(),
  nextAt: UnixMs.nullable(),
});
export type FiringResult = z.infer<typeof FiringResult>;
