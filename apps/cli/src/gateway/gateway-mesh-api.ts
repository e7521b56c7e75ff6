import type { RunListItem } from '@devmesh/contracts/run';
import { GatewayClient } from '@devmesh/service-client/gateway.client';
import type { MeshApi, RunSignal } from './mesh-api.js';

const PAGE = 200;

/** The command line's view of the mesh, over the client of the public API. */
export function gatewayMeshApi(url: string, apiKey: string): MeshApi {
  const client = new GatewayClient({ url, apiKey });
  return {
    createRun: (body, key) => client.createRun(body, key),
    run: (id) => client.run(id),
    runs: async (limit) => {
      const items: RunListItem[] = [];
      for (let cursor: string | null | undefined; cursor !== null && items.length < limit;) {
        const page: { items: RunListItem[]; nextCursor: string | null } = await client.runs({
          limit: Math.min(PAGE, limit - items.length),
          ...(cursor === undefined ? {} : { cursor }),
        });
        items.push(...page.items);
        cursor = page.nextCursor;
      }
      return items;
    },
    cancel: (id, reason) => client.cancel(id, reason),
    resume: (id) => client.resume(id),
    artifacts: (id) => client.artifacts(id),
    watch: async function* (id, after, signal): AsyncGenerator<RunSignal> {
      for await (const heard of client.follow(id, { after, signal })) {
        if (heard.type === 'event') yield { kind: 'event', event: heard.stored };
        else if (heard.type === 'progress')
          yield { kind: 'progress', step: heard.progress.step, message: heard.progress.message };
        else if (heard.type === 'end') yield { kind: 'end' };
      }
    },
    hasArtifact: (digest) => client.hasArtifact(digest),
    putArtifact: async (file) => {
      await client.putArtifact({ file });
    },
    getArtifact: async (digest, file) => {
      await client.getArtifactFile(digest, file);
    },
    agents: () => client.agents(),
    workflows: () => client.workflows(),
    close: () => client.close(),
  };
}
