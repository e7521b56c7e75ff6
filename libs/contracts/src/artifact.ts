import { z } from 'zod';
import { Digest } from './ids.js';

/** A content-addressed file that an execution produced. `size` in bytes. `name` is what a person calls it. */
export const ArtifactRef = z.object({
  digest: Digest,
  name: z.string().min(1).max(255),
  mediaType: z.string().min(1).max(255),
  size: z.number().int().nonnegative(),
});
export type ArtifactRef = z.infer<typeof ArtifactRef>;

/** Largest artifact that the store takes, in bytes (2 GiB). */
export const MAX_ARTIFACT_BYTES = 2 * 1024 ** 3;

export const MediaType = {
  bundle: 'application/x-git-bundle',
  patch: 'text/x-patch',
  sarif: 'application/sarif+json',
  json: 'application/json',
  markdown: 'text/markdown',
} as const;
