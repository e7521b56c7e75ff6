import { z } from 'zod';
import { defineAction } from '../action.js';
import { FileEdit } from '../file-edit.js';
import { PatchRef, RepositoryRef } from '../repository.js';
import { Stack } from '../stack.js';

/** Detects the stack and proposes what is missing of Dockerfile, .dockerignore and compose file. Existing files get small edits only. */
export const infrastructureGenerate = defineAction({
  id: 'infrastructure/generate',
  title: 'Detect the stack and write image and compose files',
  isDefault: true,
  defaults: { repository: '${{ repository }}' },
  input: z.object({
    repository: RepositoryRef,
    /** What to write beside images and compose file: manifests for Kubernetes, Terraform for a droplet. */
    also: z
      .array(z.enum(['kubernetes', 'terraform']))
      .max(2)
      .optional(),
  }),
  output: z.object({
    stack: Stack,
    patch: PatchRef.nullable(),
    /** Small changes of existing files, which the patch holds too. */
    edits: z.array(FileEdit).max(200),
    /** Files that were there already and were not written anew, with the reason. */
    kept: z.array(z.object({ path: z.string(), reason: z.string().max(300) })).max(100),
    summary: z.string().max(500),
  }),
});
