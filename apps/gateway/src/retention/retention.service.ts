import type { PruneReply, PruneRequest } from '@devmesh/contracts/retention';
import type { Caller } from '../api-keys/caller.js';
import type { StatePort } from '../upstream/state.port.js';

/** Forgetting the detail of old runs earlier than the mesh would by itself. */
export class RetentionService {
  constructor(private readonly state: Pick<StatePort, 'prune'>) {}

  /** Of the caller's project only. */
  prune({ projectId }: Caller, body: Omit<PruneRequest, 'projectId'>): Promise<PruneReply> {
    return this.state.prune({ ...body, projectId });
  }
}
