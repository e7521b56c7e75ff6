import {
  DueFirings,
  FiringStored,
  TriggerPage,
  TriggerRecord,
  type DueFiringsRequest,
  type FiringResult,
  type StoreFiring,
  type StoreTrigger,
} from '@devmesh/contracts/trigger';
import { z } from 'zod';
import type { CallOptions, ServiceCaller } from './http/service-caller.js';
import { pathOf, queryOf } from './path.js';

const Nothing = z.unknown();

/** Schedules and webhooks at state-persistence. */
export class StateTriggers {
  readonly #caller: ServiceCaller;

  constructor(caller: ServiceCaller) {
    this.#caller = caller;
  }

  create(trigger: StoreTrigger, options: CallOptions = {}): Promise<TriggerRecord> {
    return this.#caller.call({ method: 'POST', path: '/v1/triggers', json: trigger, ...options }, TriggerRecord);
  }

  async list(projectId: string, options: CallOptions = {}): Promise<TriggerRecord[]> {
    const request = { method: 'GET', path: `/v1/triggers${queryOf({ projectId })}`, ...options } as const;
    return (await this.#caller.call(request, TriggerPage)).items;
  }

  get(id: string, options: CallOptions = {}): Promise<TriggerRecord> {
    return this.#caller.call({ method: 'GET', path: pathOf`/v1/triggers/${id}`, ...options }, TriggerRecord);
  }

  async remove(id: string, options: CallOptions = {}): Promise<void> {
    await this.#caller.call({ method: 'DELETE', path: pathOf`/v1/triggers/${id}`, ...options }, Nothing);
  }

  /** Puts a delivery on record; false when it was there. */
  async addFiring(id: string, firing: StoreFiring, options: CallOptions = {}): Promise<boolean> {
    const path = pathOf`/v1/triggers/${id}/firings`;
    const request = { method: 'POST', path, json: firing, keyed: true, ...options } as const;
    return (await this.#caller.call(request, FiringStored)).fresh;
  }

  /** Firings that are due, held for the lease by the caller; what it holds already stays with it. */
  due(request: DueFiringsRequest, options: CallOptions = {}): Promise<DueFirings> {
    return this.#caller.call({ method: 'POST', path: '/v1/triggers/due', json: request, ...options }, DueFirings);
  }

  async settle(id: string, result: FiringResult, options: CallOptions = {}): Promise<void> {
    const path = pathOf`/v1/triggers/${id}/settled`;
    await this.#caller.call({ method: 'POST', path, json: result, keyed: true, ...options }, Nothing);
  }
}
