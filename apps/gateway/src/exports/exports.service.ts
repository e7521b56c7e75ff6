import { randomUUIDv7 } from 'node:crypto';
import type { RunView } from '@devmesh/contracts/gateway-api';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Digest, RunId } from '@devmesh/contracts/ids';
import type { RunExport } from '@devmesh/contracts/run-export';
import type { Caller } from '../api-keys/caller.js';
import type { ArtifactAccessService } from '../artifacts/artifact-access.service.js';
import type { RunAccessService } from '../runs/run-access.service.js';
import type { RunReaderService } from '../runs/run-reader.service.js';
import type { RunsService } from '../runs/runs.service.js';
import type { StatePort } from '../upstream/state.port.js';
import { definitionDigest, digestsIn, prepareImport } from './run-import.js';

/** Runs as files: out of one mesh and into another. */
export class ExportsService {
  constructor(
    private readonly state: Pick<StatePort, 'runArtifacts' | 'artifactSize' | 'putWorkflow' | 'importRun'>,
    private readonly access: RunAccessService,
    private readonly reader: RunReaderService,
    private readonly artifacts: ArtifactAccessService,
    private readonly runs: Pick<RunsService, 'view'>,
  ) {}

  /** As far as the run is. Throws `gone` for one whose events were pruned. */
  async export(caller: Caller, runId: RunId): Promise<RunExport> {
    const record = await this.access.record(caller.projectId, runId);
    const [workflow, events, { items }] = await Promise.all([
      this.reader.workflow(record.workflowDigest),
      this.reader.eventsUpTo(record),
      this.state.runArtifacts(runId),
    ]);
    return {
      format: 'devmesh-run',
      version: 1,
      exportedAt: new Date().toISOString(),
      runId,
      // Of the definition as it is read now: one of an earlier version was stored without members that came later.
      workflowDigest: definitionDigest(workflow),
      workflow,
      events: events.map(({ event }) => event),
      artifacts: items,
    };
  }

  /** A run of the caller's project that is over. */
  async import(caller: Caller, file: RunExport): Promise<RunView> {
    const { projectId } = caller;
    const known = await this.#stored(await this.artifacts.known(projectId, digestsIn(file)));
    const run = prepareImport(file, { runId: randomUUIDv7(), projectId, now: Date.now(), known });
    await this.state.putWorkflow(run.workflow.digest, file.workflow);
    const { runId } = await this.state.importRun(run);
    return this.runs.view(caller, runId);
  }

  /** Those whose content is there. What was asked for is kept until the run that refers to it can be on record. */
  async #stored(digests: ReadonlySet<Digest>): Promise<Set<Digest>> {
    const there = await Promise.all(
      [...digests].map(async (digest) => {
        try {
          await this.state.artifactSize(digest);
          return [digest];
        } catch (error) {
          if (error instanceof DevmeshError && error.code === 'not_found') return [];
          throw error;
        }
      }),
    );
    return new Set(there.flat());
  }
}
