import { z } from 'zod';
import { defineAction } from '../action.js';
import { PatchRef, RepositoryRef } from '../repository.js';
import { Stack } from '../stack.js';

/** Detects the stack and proposes what is missing of Dockerfile, .dockerignore and compose file. Existing files stay. */
export const infrastructureGenerate = defineAction({
  id: 'infrastructure/generate',
  title: 'Detect the stack and write image and compose files',
  isDefault: true,
  defaults: { repository: '${{ repository }}' },
  input: z.object({ repository: RepositoryRef }),
  output: z.object({
    stack: Stack,
    patch: PatchRef.nullable(),
    /** Files that were there already and were left as they are, with the reason. */
    kept: z.array(z.object({ path: z.string(), reason: z.string().max(300) })).max(100),
    summary: z.string().max(500),
  }),
});
