import { DevmeshError } from '@devmesh/contracts/errors';

/** That the detail of a run is not there any more. */
export function prunedError(runId: string, prunedAt: Date): DevmeshError {
  return new DevmeshError(
    'gone',
    `the detail of run ${runId} (events, artifacts) was removed on ${prunedAt.toISOString().slice(0, 10)}; its verdict, reason and effects are kept. ` +
      'To keep detail for longer set DEVMESH_RETENTION_DAYS at state-persistence, or export runs before',
  );
}
