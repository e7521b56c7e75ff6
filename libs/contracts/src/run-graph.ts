import { z } from 'zod';
import { RunId, StepId } from './ids.js';
import { StepStatus } from './run.js';
import { BranchEvent, StepKind } from './workflow.js';

/** A step in the graph of a workflow, or of a run as it stands; what only a run has is null for a workflow. */
export const RunGraphNode = z.object({
  id: StepId,
  kind: StepKind,
  /** What it does: an action's id, or the title of an approval. */
  label: z.string(),
  /** The sub-workflow that it is part of, by the name of its first step. */
  group: StepId.nullable(),
  status: StepStatus.nullable(),
  iteration: z.number().int().positive().nullable(),
  when: z.string().nullable(),
  fanOut: z.object({ items: z.string(), maxItems: z.number().int(), count: z.number().int().nullable() }).nullable(),
  /** `any` or `quorum N`; null: all of its needs. */
  join: z.string().nullable(),
  always: z.boolean(),
  gate: z.boolean(),
});
export type RunGraphNode = z.infer<typeof RunGraphNode>;

export const RunGraphEdge = z.object({
  from: StepId,
  to: StepId,
  /** `needs`: waits for it. `goto`: a branch lets it run. `rework`: sends the work back. */
  kind: z.enum(['needs', 'goto', 'rework']),
  on: BranchEvent.nullable(),
  /** Of a rework: how often it may, and how often it did. */
  maxAttempts: z.number().int().nullable(),
  rounds: z.number().int().nullable(),
  taken: z.boolean(),
});
export type RunGraphEdge = z.infer<typeof RunGraphEdge>;

export const RunGraph = z.object({
  workflow: z.string(),
  runId: RunId.nullable(),
  nodes: z.array(RunGraphNode),
  edges: z.array(RunGraphEdge),
});
export type RunGraph = z.infer<typeof RunGraph>;

export const RunGraphQuery = z.object({ format: z.enum(['mermaid', 'json']).default('json') });
