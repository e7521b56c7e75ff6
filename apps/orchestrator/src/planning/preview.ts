import type { ActionCatalogue } from '@devmesh/contracts/catalogue';
import type { AgentName, InstanceId } from '@devmesh/contracts/ids';
import type { Plan } from '@devmesh/contracts/orchestrator-api';
import type { RunPreview } from '@devmesh/contracts/run-preview';
import { ENGINE_AGENT } from '@devmesh/contracts/workflow';
import { preview } from '@devmesh/workflow/preview';
import type { LoadedWorkflow } from './workflow-library.js';

/** What a run of the workflow would do, as far as that is known beforehand. */
export function previewOf(
  { definition, digest, graph }: LoadedWorkflow,
  plan: Plan['because'] | null,
  catalogue: ActionCatalogue,
  instances: (agent: AgentName) => readonly InstanceId[],
): RunPreview {
  const { name, steps, timeoutMs, maxParallelAgents, maxConcurrentRuns } = definition;
  const { waves, otherwise } = preview(graph, digest);
  const working = steps.filter(({ kind }) => kind === 'action');
  const agents = new Set(working.flatMap(({ agent, undo }) => (undo ? [agent, undo.agent] : [agent])));
  return {
    workflow: { name, digest },
    plan,
    waves: waves.map((wave) => [...wave]),
    otherwise: [...otherwise],
    steps: working.map(({ id, action, agent, timeoutMs: ms, when, forEach }) => ({
      id,
      action,
      agent,
      effects: catalogue.get(action)?.effects ?? 'none',
      timeoutMs: ms,
      when,
      maxItems: forEach?.maxItems ?? null,
    })),
    approvals: steps.flatMap(({ id: step, approval }) => {
      if (!approval) return [];
      const { title, of, deadlineMs, onExpiry } = approval;
      return [{ step, title, of, deadlineMs, onExpiry }];
    }),
    missingAgents: [...agents].filter((agent) => agent !== ENGINE_AGENT && instances(agent).length === 0),
    limits: { timeoutMs, maxParallelAgents, maxConcurrentRuns },
  };
}
