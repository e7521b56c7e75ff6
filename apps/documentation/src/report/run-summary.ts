import { ArtifactRef } from '@devmesh/contracts/artifact';
import { SeverityCounts } from '@devmesh/contracts/finding';
import { JsonObject, type Json } from '@devmesh/contracts/json';
import { z } from 'zod';

const Text = z.string().catch('');
const MaybeNumber = z.number().nullable().catch(null);

/** `RunSummary` of docs/engine.md as far as the report reads it. A member that is missing or of another kind counts as unknown. */
const StepSummary = z.object({
  id: Text,
  agent: Text,
  action: Text,
  iteration: z.number().catch(1),
  attempt: z.number().catch(1),
  outcome: Text,
  startedAt: MaybeNumber,
  elapsedMs: MaybeNumber,
  output: JsonObject.nullable().catch(null),
  error: z.string().nullable().catch(null),
  /** Why its output is the declared fallback, when it is. */
  fallback: z.string().nullable().catch(null),
});
export type StepSummary = z.infer<typeof StepSummary>;

const RunSummary = z.object({
  runId: Text,
  workflow: Text,
  task: Text,
  repository: z
    .object({ origin: Text, branch: z.string().nullable().catch(null), base: Text })
    .nullable()
    .catch(null),
  verdict: Text,
  reason: Text,
  notices: z.array(Text).catch([]),
  notifications: z.array(z.object({ step: Text, message: Text })).catch([]),
  steps: z.array(StepSummary).catch([]),
});
export type RunSummary = z.infer<typeof RunSummary>;

export function readRunSummary(run: JsonObject): RunSummary {
  return RunSummary.parse(run);
}

const Review = z.object({ counts: SeverityCounts, findings: ArtifactRef, fixable: z.number().catch(0) });
const Integration = z.object({
  commits: z.array(z.object({ title: z.string(), step: Text, agent: Text, commit: z.string() })),
  leftOut: z.array(z.object({ title: z.string(), reason: z.string() })).catch([]),
});
const Place = { rule: z.string(), path: z.string(), line: z.number() };
/** The fixes of one round; `fixHistory` has those of all rounds. */
const Fixes = z.object({
  fixHistory: ArtifactRef.nullable().catch(null),
  fixedFindings: z.array(z.object({ ...Place, fix: z.string() })),
  droppedFixes: z.array(z.object({ ...Place, reason: z.string() })),
});
const Keeping = z.object({ kept: z.array(z.object({ path: z.string(), reason: z.string() })) });

/** What the steps gave back, by the shape of their outputs: other agents than ours may give the same. */
export function outputsOf<T>(steps: readonly StepSummary[], schema: z.ZodType<T>): { step: StepSummary; value: T }[] {
  return steps.flatMap((step) => {
    const parsed = schema.safeParse(step.output);
    return parsed.success ? [{ step, value: parsed.data }] : [];
  });
}

const Tests = z.object({
  tests: z.object({
    verdict: Text,
    summary: Text,
    suites: z.array(
      z.object({
        root: Text,
        command: Text,
        because: Text,
        before: Text,
        after: z.string().nullable().catch(null),
        why: Text,
        output: Text,
      }),
    ),
  }),
});

export const Outputs = { Review, Integration, Fixes, Keeping, Tests } as const;

const MAX_DEPTH = 12;

/** Every artifact that outputs refer to, each once. */
export function artifactsOf(steps: readonly StepSummary[]): { step: string; artifact: ArtifactRef }[] {
  const found = new Map<string, { step: string; artifact: ArtifactRef }>();
  const visit = (step: string, value: Json, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return;
    const artifact = Array.isArray(value) ? undefined : ArtifactRef.safeParse(value);
    if (artifact?.success === true) {
      if (!found.has(artifact.data.digest)) found.set(artifact.data.digest, { step, artifact: artifact.data });
      return;
    }
    for (const inner of Object.values(value)) visit(step, inner, depth + 1);
  };
  for (const { id, output } of steps) visit(id, output, 0);
  return [...found.values()];
}
