import type { ApprovalPage, ApprovalRecord } from '@devmesh/contracts/approval';
import type { RunListItem } from '@devmesh/contracts/run';
import { GatewayClient } from '@devmesh/service-client/gateway.client';
import type { MeshApi, RunSignal } from './mesh-api.js';

const PAGE = 200;

/** The command line's view of the mesh, over the client of the public API. */
export function gatewayMeshApi(url: string, apiKey: string): MeshApi {
  const client = new GatewayClient({ url, apiKey });
  return {
    createRun: (body, key) => client.createRun(body, key),
    run: (id, at) => client.run(id, at),
    exportRun: (id) => client.exportRun(id),
    importRun: (file) => client.importRun(file),
    prune: (body) => client.prune(body),
    preview: (body) => client.preview(body),
    runGraph: (id) => client.runGraph(id),
    workflowGraph: (name) => client.workflowGraph(name),
    retry: (id, key) => client.retry(id, key),
    rerun: (id, body, key) => client.rerun(id, body, key),
    fork: (id, body, key) => client.fork(id, body, key),
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
    pause: (id, reason) => client.pause(id, reason),
    resume: (id) => client.resume(id),
    effects: (id) => client.effects(id),
    approvals: async (filter) => {
      const items: ApprovalRecord[] = [];
      for (let cursor: string | null | undefined; cursor !== null;) {
        const page: ApprovalPage = await client.approvals({
          ...filter,
          limit: PAGE,
          ...(cursor === undefined ? {} : { cursor }),
        });
        items.push(...page.items);
        cursor = page.nextCursor;
      }
      return items;
    },
    decide: (id, verdict) => client.decide(id, verdict),
    findings: (id) => client.findings(id),
    judgeFinding: (id, fingerprint, verdict) => client.judgeFinding(id, fingerprint, verdict),
    rulePrecision: () => client.rulePrecision(),
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
    createTrigger: (trigger) => client.createTrigger(trigger),
    triggers: () => client.triggers(),
    removeTrigger: (id) => client.removeTrigger(id),
    agents: () => client.agents(),
    status: () => client.status({ timeoutMs: 5_000 }),
    workflows: () => client.workflows(),
    close: () => client.close(),
  };
}
