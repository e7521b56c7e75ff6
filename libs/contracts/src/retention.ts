import { z } from 'zod';

/** Removing the detail of runs that have ended. What a run was, its verdict, reason and times stay. */
export const PruneBody = z.object({
  /** Only of runs that ended at least so long ago, ms. */
  olderThanMs: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  /** Only count them. */
  dryRun: z.boolean().default(false),
});
export type PruneBody = z.input<typeof PruneBody>;

/** `events`: those of these runs together. `more`: there are further ones; ask again. */
export const PruneReply = z.object({
  runs: z.number().int().nonnegative(),
  events: z.number().int().nonnegative(),
  more: z.boolean(),
});
export type PruneReply = z.infer<typeof PruneReply>;

/** Inside the mesh, at state-persistence: of one project. */
export const PruneRequest = PruneBody.extend({ projectId: z.string().min(1).max(64) });
export type PruneRequest = z.output<typeof PruneRequest>;
