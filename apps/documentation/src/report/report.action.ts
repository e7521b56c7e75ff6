import { implement, type ActionContext } from '@devmesh/agent-kit/action-context';
import { documentationReport } from '@devmesh/contracts/actions/documentation';
import { MediaType, type ArtifactRef } from '@devmesh/contracts/artifact';
import { DevmeshError } from '@devmesh/contracts/errors';
import { FindingsDocument, SEVERITIES, type Finding } from '@devmesh/contracts/finding';
import { FixHistory } from '@devmesh/contracts/fix-history';
import { reportMarkdown, type TriedFixes } from './report-markdown.js';
import type { z } from 'zod';
import { outputsOf, Outputs, readRunSummary, type RunSummary } from './run-summary.js';

/** Most bytes of a list that is read. */
const MAX_LIST_BYTES = 32 * 1024 ** 2;

export const report = implement(documentationReport, async (ctx) => {
  ctx.progress('writing the report');
  const summary = readRunSummary(ctx.input.run);
  // This step is not over, so there is nothing to say of it.
  const run = { ...summary, steps: summary.steps.filter(({ id }) => id !== ctx.step) };
  const markdown = reportMarkdown(run, await lastFindings(run, ctx.artifacts), await triedFixes(run, ctx.artifacts));
  const artifact = await ctx.artifacts.put(Buffer.from(markdown), { name: 'report.md', mediaType: MediaType.markdown });
  const steps = run.steps.length === 1 ? '1 step' : `${run.steps.length} steps`;
  return { report: artifact, summary: `${run.verdict || 'unknown'}: ${steps}`.slice(0, 500) };
});

/** The last findings of every action that has some, worst first. A report without a list is better than none, so what can't be read is left out. */
async function lastFindings(
  run: RunSummary,
  artifacts: ActionContext<unknown>['artifacts'],
): Promise<readonly Finding[]> {
  const inOrder = outputsOf(run.steps, Outputs.Review).sort(
    (a, b) => (a.step.startedAt ?? 0) - (b.step.startedAt ?? 0),
  );
  const last = new Map(inOrder.map(({ step, value }) => [step.action, value.findings]));
  const lists = await Promise.all([...last.values()].map(async (ref) => read(ref, FindingsDocument, artifacts)));
  return lists
    .flatMap((list) => list?.findings ?? [])
    .toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

/** The safe fixes of all rounds, where a step kept a history of them; else those of its last round. */
async function triedFixes(run: RunSummary, artifacts: ActionContext<unknown>['artifacts']): Promise<TriedFixes> {
  const all = await Promise.all(
    outputsOf(run.steps, Outputs.Fixes).map(async ({ step, value }): Promise<TriedFixes> => {
      const history = value.fixHistory ? await read(value.fixHistory, FixHistory, artifacts) : undefined;
      const round = step.iteration;
      return (
        history ?? {
          fixed: value.fixedFindings.map((one) => ({ ...one, round })),
          dropped: value.droppedFixes.map((one) => ({ ...one, round })),
        }
      );
    }),
  );
  return { fixed: all.flatMap(({ fixed }) => fixed), dropped: all.flatMap(({ dropped }) => dropped) };
}

/** A list that an artifact holds; undefined when it is gone, too large, or something else. */
async function read<S extends z.ZodType>(
  ref: ArtifactRef,
  schema: S,
  artifacts: ActionContext<unknown>['artifacts'],
): Promise<z.output<S> | undefined> {
  if (ref.size > MAX_LIST_BYTES) return undefined;
  let content: string;
  try {
    content = (await artifacts.get(ref)).toString('utf8');
  } catch (error) {
    if (error instanceof DevmeshError && (error.code === 'not_found' || error.code === 'gone')) return undefined;
    throw error;
  }
  const parsed = schema.safeParse(parseJson(content));
  return parsed.success ? parsed.data : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
