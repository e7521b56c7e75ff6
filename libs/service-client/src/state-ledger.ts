import { ApprovalPage, ApprovalRecord, type ApprovalQuery, type ApprovalVerdict } from '@devmesh/contracts/approval';
import {
  EffectClaimReply,
  EffectPage,
  type EffectClaim,
  type EffectRecord,
  type EffectResult,
} from '@devmesh/contracts/effect';
import type { RunId } from '@devmesh/contracts/ids';
import { z } from 'zod';
import type { CallOptions, ServiceCaller } from './http/service-caller.js';
import { pathOf, queryOf } from './path.js';

const Nothing = z.unknown();

/** Approvals and effects at state-persistence. What is asked twice because an answer was lost is answered as the first time. */
export class StateLedger {
  readonly #caller: ServiceCaller;

  constructor(caller: ServiceCaller) {
    this.#caller = caller;
  }

  approvals(query: z.input<typeof ApprovalQuery> = {}, options: CallOptions = {}): Promise<ApprovalPage> {
    return this.#caller.call({ method: 'GET', path: `/v1/approvals${queryOf(query)}`, ...options }, ApprovalPage);
  }

  approval(id: string, options: CallOptions = {}): Promise<ApprovalRecord> {
    return this.#caller.call({ method: 'GET', path: pathOf`/v1/approvals/${id}`, ...options }, ApprovalRecord);
  }

  /** Throws `approval_closed`, `approval_changed`. */
  decide(id: string, verdict: ApprovalVerdict, options: CallOptions = {}): Promise<ApprovalRecord> {
    const path = pathOf`/v1/approvals/${id}/verdict`;
    return this.#caller.call({ method: 'POST', path, json: verdict, keyed: true, ...options }, ApprovalRecord);
  }

  claimEffect(claim: EffectClaim, options: CallOptions = {}): Promise<EffectClaimReply> {
    const request = { method: 'POST', path: '/v1/effects/claim', json: claim, keyed: true, ...options } as const;
    return this.#caller.call(request, EffectClaimReply);
  }

  /** Throws `conflict` when the claim was taken over. */
  async recordEffect(result: EffectResult, options: CallOptions = {}): Promise<void> {
    const request = { method: 'POST', path: '/v1/effects/result', json: result, keyed: true, ...options } as const;
    await this.#caller.call(request, Nothing);
  }

  async effects(runId: RunId, options: CallOptions = {}): Promise<EffectRecord[]> {
    const request = { method: 'GET', path: pathOf`/v1/runs/${runId}/effects`, ...options } as const;
    return (await this.#caller.call(request, EffectPage)).items;
  }
}
