import type { ApprovalPage, ApprovalRecord } from '@devmesh/contracts/approval';
import type { EffectPage } from '@devmesh/contracts/effect';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { ApprovalListQuery, VerdictBody } from '@devmesh/contracts/gateway-api';
import type { RunId } from '@devmesh/contracts/ids';
import type { StateLedger } from '@devmesh/service-client/state-ledger';
import type { z } from 'zod';
import type { Caller } from '../api-keys/caller.js';
import type { RunAccessService } from '../runs/run-access.service.js';
import { inside } from '../upstream/inside.js';

/** What a caller's project is asked, what it decides, and what its runs did to the world outside. */
export class ApprovalsService {
  constructor(
    private readonly ledger: Pick<StateLedger, 'approvals' | 'approval' | 'decide' | 'effects'>,
    private readonly access: RunAccessService,
  ) {}

  list(caller: Caller, query: z.output<typeof ApprovalListQuery>): Promise<ApprovalPage> {
    return inside(this.ledger.approvals({ ...query, projectId: caller.projectId }));
  }

  async get(caller: Caller, id: string): Promise<ApprovalRecord> {
    const approval = await inside(this.ledger.approval(id));
    if (approval.projectId !== caller.projectId) throw new DevmeshError('not_found', `there is no approval ${id}`);
    return approval;
  }

  /** The hash is the caller's: what it saw. Throws `approval_closed`, `approval_changed`. */
  async decide(caller: Caller, id: string, body: z.output<typeof VerdictBody>): Promise<ApprovalRecord> {
    await this.get(caller, id);
    return inside(this.ledger.decide(id, { ...body, by: caller.name }));
  }

  async effects(caller: Caller, runId: RunId): Promise<z.infer<typeof EffectPage>> {
    await this.access.assertOwn(caller.projectId, runId);
    return { items: await inside(this.ledger.effects(runId)) };
  }
}
