import type { Digest } from '@devmesh/contracts/ids';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import type { GraphPort } from '@devmesh/engine/ports';
import type { StateClient } from '@devmesh/service-client/state.client';
import { graphOf, type Graph } from '@devmesh/workflow/graph';
import { LRUCache } from 'lru-cache';

/** Workflows by digest: stored once, and kept with their edges worked out. */
export class WorkflowStore implements GraphPort {
  private readonly graphs = new LRUCache<Digest, Graph>({ max: 500 });
  private readonly stored = new LRUCache<Digest, true>({ max: 5000 });

  constructor(private readonly client: Pick<StateClient, 'workflow' | 'putWorkflow'>) {}

  async graph(digest: Digest): Promise<Graph> {
    const known = this.graphs.get(digest);
    if (known) return known;
    const graph = graphOf(await this.client.workflow(digest));
    this.graphs.set(digest, graph);
    this.stored.set(digest, true);
    return graph;
  }

  /** Makes sure that runs can pin it: before the first create that names it. */
  async store(digest: Digest, workflow: WorkflowDefinition, graph: Graph): Promise<void> {
    if (this.stored.has(digest)) return;
    await this.client.putWorkflow(digest, workflow);
    this.stored.set(digest, true);
    this.graphs.set(digest, graph);
  }
}
