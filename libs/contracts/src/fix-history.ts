import { z } from 'zod';
import { Digest } from './ids.js';

const Tried = {
  rule: z.string().max(100),
  path: z.string().max(4096),
  line: z.number().int().positive(),
  /** The iteration of the step that tried it, from 1. */
  round: z.number().int().positive(),
};

/**
 * The content of a fix history (`application/json`): what became of the safe fixes of a run so far, over all rounds. What is in
 * `dropped` is not tried again while its finding keeps its fingerprint.
 */
export const FixHistory = z.object({
  version: z.literal(1),
  /** Applied and proved: the file parses, the finding is gone, none is new, the types are no worse. */
  fixed: z.array(z.object({ ...Tried, fix: z.string().max(500) })).max(100_000),
  /** Not proved, not fitting the file as it is, or turned down by the tests of the repository. */
  dropped: z.array(z.object({ ...Tried, reason: z.string().max(500), fingerprint: Digest })).max(100_000),
});
export type FixHistory = z.infer<typeof FixHistory>;

export const EMPTY_FIX_HISTORY: FixHistory = { version: 1, fixed: [], dropped: [] };
