import { RunId } from '@devmesh/contracts/ids';
import { z } from 'zod';

/** `run`: a run of the project that lists the artifact. */
export const ArtifactQuery = z.object({
  run: RunId.optional().describe('A run of your project that lists the artifact.'),
});
