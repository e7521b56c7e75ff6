import type { RunView } from '@devmesh/contracts/gateway-api';
import type { ForkRun } from '@devmesh/contracts/fork';
import type { RunId } from '@devmesh/contracts/ids';
import { inSubmitSpan } from '@devmesh/service-kit/tracing/engine-span';
import type { Caller } from '../api-keys/caller.js';
import type { ArtifactAccessService } from '../artifacts/artifact-access.service.js';
import { digestsIn } from '../artifacts/named-digests.js';
import { requestHash } from '../runs/request-hash.js';
import type { RunAccessService } from '../runs/run-access.service.js';
import type { RunsService } from '../runs/runs.service.js';
import type { OrchestratorPort } from '../upstream/orchestrator.port.js';

/** Runs that go on from others: by the same workflow, on the same repository. */
export class ForksService {
  constructor(
    private readonly orchestrator: Pick<OrchestratorPort, 'fork'>,
    private readonly access: RunAccessService,
    private readonly runs: Pick<RunsService, 'view'>,
    private readonly artifacts: Pick<ArtifactAccessService, 'assertNameable'>,
  ) {}

  /** The new run; with an idempotency key that was used before, the one of then. */
  async fork(
    caller: Caller,
    source: RunId,
    what: Pick<ForkRun, 'kind' | 'from' | 'at' | 'input'>,
    idempotencyKey: string | null,
  ): Promise<RunView> {
    await this.access.assertOwn(caller.projectId, source);
    await this.artifacts.assertNameable(caller.projectId, digestsIn(what.input), source);
    const idempotency =
      idempotencyKey === null ? null : { key: idempotencyKey, requestHash: requestHash({ source, ...what }) };
    const { projectId, name: requestedBy } = caller;
    const reply = await inSubmitSpan(() =>
      this.orchestrator.fork(source, { projectId, requestedBy, ...what, idempotency }),
    );
    return this.runs.view(caller, reply.runId);
  }
}
