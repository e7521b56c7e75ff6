import { z } from 'zod';
import { defineAction } from '../action.js';
import { ArtifactRef } from '../artifact.js';
import { SeverityCounts } from '../finding.js';
import { Digest } from '../ids.js';
import { JsonObject } from '../json.js';
import { PatchRef, RepositoryRef } from '../repository.js';

/** Statements of the documentation that the tree does not bear out: class `docs-drift`, severity low or info. */
const DocumentationFindings = z.object({
  counts: SeverityCounts,
  /** `FindingsDocument` as JSON. */
  findings: ArtifactRef,
  /** Documents that were read. */
  documents: z.number().int().nonnegative(),
});

/** Writes what manifests and source say, inside its own markers only, and tells what the documents say that is not so. */
export const documentationGenerate = defineAction({
  id: 'documentation/generate',
  title: 'Write README sections from manifest and source',
  isDefault: true,
  defaults: { repository: '${{ repository }}', history: '${{ run.history }}' },
  input: z.object({
    repository: RepositoryRef,
    /** `RepositoryHistory`, for the changelog. */
    history: Digest.optional(),
  }),
  output: DocumentationFindings.partial().extend({
    patch: PatchRef.nullable(),
    sections: z.array(z.string()).max(50),
    summary: z.string().max(500),
  }),
});

/** Holds the documentation to the tree. It changes nothing and rejects nothing. */
export const documentationCheck = defineAction({
  id: 'documentation/check',
  title: 'Find statements of the documentation that no longer hold',
  defaults: { repository: '${{ repository }}' },
  input: z.object({ repository: RepositoryRef }),
  output: DocumentationFindings.extend({ summary: z.string().max(500) }),
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
