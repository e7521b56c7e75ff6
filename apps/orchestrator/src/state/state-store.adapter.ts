import type { RunId } from '@devmesh/contracts/ids';
import type { AcquireOp, AppendOp, BatchResult } from '@devmesh/contracts/state-api';
import type { AcquireResult, AppendResult, StatePort } from '@devmesh/engine/ports';
import type { StateClient } from '@devmesh/service-client/state.client';

/** A lock that another held too long: nothing was done, so it is sent again, this often. */
const RESENDS = 4;

/**
 * The engine's state port over HTTP. The client sends a batch again whose answer was lost; that is safe by append id.
 */
export class StateStoreAdapter implements StatePort {
  constructor(private readonly client: StateClient) {}

  async acquire(op: AcquireOp): Promise<AcquireResult> {
    const result = await this.send(op);
    if (result.result === 'acquired' || result.result === 'refused') return result;
    throw new Error(`an acquire was answered "${result.result}"`);
  }

  async append(op: AppendOp): Promise<AppendResult> {
    const result = await this.send(op);
    if (result.result === 'appended' || result.result === 'refused') return result;
    throw new Error(`an append was answered "${result.result}"`);
  }

  async turnFailed(runId: RunId, epoch: number | null, error: string): Promise<void> {
    await this.client.turnFailed(runId, { epoch, error });
  }

  private async send(op: AcquireOp | AppendOp): Promise<BatchResult> {
    for (let resends = 0; ; resends++) {
      const result = await this.client.batch(op);
      if (result.result !== 'refused' || result.code !== 'unavailable' || resends >= RESENDS) return result;
    }
  }
}
