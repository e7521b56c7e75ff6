import { z } from 'zod';

/** A small change of a file that was there already: what, where (1-based line of the file as it was), and why. */
export const FileEdit = z.object({
  path: z.string().max(4096),
  line: z.number().int().positive(),
  change: z.string().max(200),
  reason: z.string().max(300),
});
export type FileEdit = z.infer<typeof FileEdit>;
