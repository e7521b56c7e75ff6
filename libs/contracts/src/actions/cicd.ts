import { z } from 'zod';
import { defineAction } from '../action.js';
import { PatchRef, RepositoryRef } from '../repository.js';

/** Writes a GitHub Actions workflow that builds and tests what the stack has; existing pipelines stay. */
export const cicdGenerate = defineAction({
  id: 'cicd/generate',
  title: 'Write a CI pipeline for the stack',
  isDefault: true,
  defaults: { repository: '${{ repository }}' },
  input: z.object({ repository: RepositoryRef }),
  output: z.object({
    patch: PatchRef.nullable(),
    jobs: z.array(z.object({ id: z.string(), runs: z.array(z.string()).max(50) })).max(50),
    kept: z.array(z.object({ path: z.string(), reason: z.string().max(300) })).max(100),
    summary: z.string().max(500),
  }),
});
