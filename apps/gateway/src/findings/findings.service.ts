import type { FindingPage, FindingRecord, RulePrecisionList } from '@devmesh/contracts/finding-fate';
import type { FindingVerdictBody } from '@devmesh/contracts/gateway-api';
import type { Digest, RunId } from '@devmesh/contracts/ids';
import type { StateFindings } from '@devmesh/service-client/state-findings';
import type { z } from 'zod';
import type { Caller } from '../api-keys/caller.js';
import type { RunAccessService } from '../runs/run-access.service.js';
import { inside } from '../upstream/inside.js';

/** What became of the findings of a caller's project, and what its people say of them. */
export class FindingsService {
  constructor(
    private readonly findings: Pick<StateFindings, 'ofRun' | 'judge' | 'precision'>,
    private readonly access: RunAccessService,
  ) {}

  async ofRun(caller: Caller, runId: RunId): Promise<FindingPage> {
    await this.access.assertOwn(caller.projectId, runId);
    return inside(this.findings.ofRun(runId));
  }

  async judge(
    caller: Caller,
    runId: RunId,
    fingerprint: Digest,
    body: z.output<typeof FindingVerdictBody>,
  ): Promise<FindingRecord> {
    await this.access.assertOwn(caller.projectId, runId);
    return inside(this.findings.judge(runId, fingerprint, { ...body, by: caller.name }));
  }

  precision(caller: Caller): Promise<RulePrecisionList> {
    return inside(this.findings.precision(caller.projectId));
  }
}
