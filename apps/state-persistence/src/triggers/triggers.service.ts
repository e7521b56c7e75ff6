import { DevmeshError } from '@devmesh/contracts/errors';
import type {
  DueFirings,
  DueFiringsRequest,
  FiringResult,
  StoreFiring,
  StoreTrigger,
  TriggerRecord,
} from '@devmesh/contracts/trigger';
import { databaseError } from '../database/database.js';
import type { TriggersRepository } from './triggers.repository.js';

/** Schedules and webhooks on record, and the firings that are to become runs. */
export class TriggersService {
  constructor(
    private readonly repository: TriggersRepository,
    private readonly now: () => number,
  ) {}

  async create(trigger: StoreTrigger): Promise<TriggerRecord> {
    const stored = await this.repository.create(trigger, this.now()).catch(rethrow);
    if (stored === null) throw new DevmeshError('not_found', `there is no project "${trigger.projectId}"`);
    if (stored === false)
      throw new DevmeshError(
        'conflict',
        `there is a trigger ${trigger.name} already; remove it first, or choose another name`,
      );
    return stored;
  }

  list(projectId: string): Promise<TriggerRecord[]> {
    return this.repository.list(projectId).catch(rethrow);
  }

  async get(id: string): Promise<TriggerRecord> {
    const trigger = await this.repository.find(id).catch(rethrow);
    if (trigger === null) throw missing(id);
    return trigger;
  }

  async remove(id: string): Promise<void> {
    if (!(await this.repository.remove(id).catch(rethrow))) throw missing(id);
  }

  /** False when the delivery was on record. */
  addFiring(id: string, firing: StoreFiring): Promise<boolean> {
    return this.repository.addFiring(id, firing, this.now()).catch(rethrow);
  }

  async due({ limit, leaseMs, held }: DueFiringsRequest): Promise<DueFirings> {
    if (held.length > 0) await this.repository.renew(held, leaseMs, this.now()).catch(rethrow);
    const items = await this.repository.takeDue(limit, leaseMs, this.now()).catch(rethrow);
    return { items, nextAt: await this.repository.nextDue().catch(rethrow) };
  }

  async settle(id: string, result: FiringResult): Promise<void> {
    if (!(await this.repository.settle(id, result, this.now()).catch(rethrow))) throw missing(id);
  }
}

function missing(id: string): DevmeshError {
  return new DevmeshError('not_found', `there is no trigger ${id}`);
}

function rethrow(error: unknown): never {
  throw databaseError(error);
}
