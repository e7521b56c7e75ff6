import type { RunId } from '@devmesh/contracts/ids';
import type { RunGraph } from '@devmesh/contracts/run-graph';
import { graphData } from '@devmesh/workflow/diagram';
import { fold } from '@devmesh/workflow/evolve';
import { graphOf } from '@devmesh/workflow/graph';
import type { Caller } from '../api-keys/caller.js';
import type { RunAccessService } from '../runs/run-access.service.js';
import type { RunReaderService } from '../runs/run-reader.service.js';
import type { OrchestratorPort } from '../upstream/orchestrator.port.js';

/** Graphs of runs and of shipped workflows. */
export class GraphsService {
  constructor(
    private readonly orchestrator: Pick<OrchestratorPort, 'workflow'>,
    private readonly access: RunAccessService,
    private readonly reader: RunReaderService,
  ) {}

  async ofRun(caller: Caller, runId: RunId): Promise<RunGraph> {
    const record = await this.access.record(caller.projectId, runId);
    const [workflow, events] = await Promise.all([
      this.reader.workflow(record.workflowDigest),
      this.reader.eventsUpTo(record),
    ]);
    const graph = graphOf(workflow);
    const facts = events.map(({ event }) => event);
    return graphData(graph, fold(graph, runId, null, facts));
  }

  async ofWorkflow(name: string): Promise<RunGraph> {
    return graphData(graphOf(await this.orchestrator.workflow(name)), null);
  }
}
