import { z } from 'zod';
import { defineAction } from '../action.js';
import { FileEdit } from '../file-edit.js';
import { PatchRef, RepositoryRef } from '../repository.js';

/** Writes a pipeline of GitHub Actions or GitLab CI that builds and tests what the stack has; existing workflows get small edits only. */
export const cicdGenerate = defineAction({
  id: 'cicd/generate',
  title: 'Write a CI pipeline for the stack',
  isDefault: true,
  defaults: { repository: '${{ repository }}' },
  input: z.object({
    repository: RepositoryRef,
    /** What to write a missing pipeline for. `auto`: GitLab where a file of GitLab's is in the repository, else GitHub. */
    provider: z.enum(['auto', 'github', 'gitlab']).optional(),
  }),
  output: z.object({
    patch: PatchRef.nullable(),
    /** Small changes of existing pipelines, which the patch holds too. */
    edits: z.array(FileEdit).max(200),
    jobs: z.array(z.object({ id: z.string(), runs: z.array(z.string()).max(50) })).max(50),
    kept: z.array(z.object({ path: z.string(), reason: z.string().max(300) })).max(100),
    summary: z.string().max(500),
  }),
});
