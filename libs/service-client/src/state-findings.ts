import {
  FindingHistory,
  FindingPage,
  FindingRecord,
  RulePrecisionList,
  type FindingVerdict,
  type SeenFindings,
} from '@devmesh/contracts/finding-fate';
import type { Digest, RunId } from '@devmesh/contracts/ids';
import { z } from 'zod';
import type { CallOptions, ServiceCaller } from './http/service-caller.js';
import { pathOf, queryOf } from './path.js';

const Nothing = z.unknown();

/** What became of findings, at state-persistence. */
export class StateFindings {
  readonly #caller: ServiceCaller;

  constructor(caller: ServiceCaller) {
    this.#caller = caller;
  }

  /** Puts on record what a review of the run's whole repository saw; the same again changes nothing. */
  async record(runId: RunId, seen: SeenFindings, options: CallOptions = {}): Promise<void> {
    const path = pathOf`/v1/runs/${runId}/findings`;
    await this.#caller.call({ method: 'POST', path, json: seen, keyed: true, ...options }, Nothing);
  }

  history(runId: RunId, options: CallOptions = {}): Promise<FindingHistory> {
    const path = pathOf`/v1/runs/${runId}/findings/history`;
    return this.#caller.call({ method: 'GET', path, ...options }, FindingHistory);
  }

  ofRun(runId: RunId, options: CallOptions = {}): Promise<FindingPage> {
    return this.#caller.call({ method: 'GET', path: pathOf`/v1/runs/${runId}/findings`, ...options }, FindingPage);
  }

  /** Throws `not_found` when the run's repository has no such finding on record. */
  judge(runId: RunId, fingerprint: Digest, verdict: FindingVerdict, options: CallOptions = {}): Promise<FindingRecord> {
    const path = pathOf`/v1/runs/${runId}/findings/${fingerprint}/verdict`;
    return this.#caller.call({ method: 'POST', path, json: verdict, keyed: true, ...options }, FindingRecord);
  }

  precision(projectId: string, options: CallOptions = {}): Promise<RulePrecisionList> {
    const path = `/v1/findings/precision${queryOf({ projectId })}`;
    return this.#caller.call({ method: 'GET', path, ...options }, RulePrecisionList);
  }
}
