import { z } from 'zod';
import { defineAction } from '../action.js';
import { ArtifactRef } from '../artifact.js';
import { JsonObject } from '../json.js';
import { PatchRef, RepositoryRef } from '../repository.js';

/** Writes README sections from manifest and source, inside its own markers only. */
export const documentationGenerate = defineAction({
  id: 'documentation/generate',
  title: 'Write README sections from manifest and source',
  isDefault: true,
  defaults: { repository: '${{ repository }}' },
  input: z.object({ repository: RepositoryRef }),
  output: z.object({
    patch: PatchRef.nullable(),
    sections: z.array(z.string()).max(50),
    summary: z.string().max(500),
  }),
});

/** Writes `report.md` of a run from what its steps gave back. */
export const documentationReport = defineAction({
  id: 'documentation/report',
  title: 'Write the report of the run',
  defaults: { run: '${{ run.summary }}' },
  input: z.object({
    /** `RunSummary` of docs/engine.md: task, verdict so far, and a member per step with outcome, times and output. */
    run: JsonObject,
  }),
  output: z.object({ report: ArtifactRef, summary: z.string().max(500) }),
});
