import type { InstanceId } from '@devmesh/contracts/ids';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import type { AgentRegistry } from './agent-registry.js';

/** A turn under way when a change is told parks by the lease it knows, so the change is told once more. */
const TIMES = 2;

/**
 * Tells state-persistence which instances of agents are there whenever that has changed, so that a run whose agent died and came back
 * goes on at once, and not when the lease of its execution ends.
 */
export class OrphanReports {
  private told: string | undefined;
  private left = 0;

  constructor(
    private readonly registry: Pick<AgentRegistry, 'present'>,
    private readonly tell: (present: readonly InstanceId[]) => Promise<void>,
    private readonly logger: Pick<Logger, 'warn'>,
  ) {}

  /** Never rejects; what could not be told is told the next time. */
  async report(): Promise<void> {
    const present = this.registry.present();
    // While one is out of reach nobody knows who is gone; leases end by themselves.
    if (present === undefined) return;
    const now = present.join(' ');
    if (now !== this.told) this.left = TIMES;
    if (this.left === 0) return;
    try {
      await this.tell(present);
      this.told = now;
      this.left -= 1;
    } catch (error) {
      this.logger.warn('who is gone could not be told; trying again', { error });
    }
  }
}
