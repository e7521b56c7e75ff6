import { implement, type ActionContext } from '@devmesh/agent-kit/action-context';
import { documentationReport } from '@devmesh/contracts/actions/documentation';
import { MediaType, type ArtifactRef } from '@devmesh/contracts/artifact';
import { DevmeshError } from '@devmesh/contracts/errors';
import { FindingsDocument, SEVERITIES, type Finding } from '@devmesh/contracts/finding';
import { reportMarkdown } from './report-markdown.js';
import { outputsOf, Outputs, readRunSummary, type RunSummary } from './run-summary.js';

const MAX_FINDINGS_BYTES = 32 * 1024 ** 2;

export const report = implement(documentationReport, async (ctx) => {
  ctx.progress('writing the report');
  const summary = readRunSummary(ctx.input.run);
  // This step is not over, so there is nothing to say of it.
  const run = { ...summary, steps: summary.steps.filter(({ id }) => id !== ctx.step) };
  const markdown = reportMarkdown(run, await lastFindings(run, ctx.artifacts));
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
  const all = await Promise.all([...last.values()].map(async (ref) => readFindings(ref, artifacts)));
  return all.flat().toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

async function readFindings(
  ref: ArtifactRef,
  artifacts: ActionContext<unknown>['artifacts'],
): Promise<readonly Finding[]> {
  if (ref.size > MAX_FINDINGS_BYTES) return [];
  let content: string;
  try {
    content = (await artifacts.get(ref)).toString('utf8');
  } catch (error) {
    if (error instanceof DevmeshError && (error.code === 'not_found' || error.code === 'gone')) return [];
    throw error;
  }
  const parsed = FindingsDocument.safeParse(parseJson(content));
  return parsed.success ? parsed.data.findings : [];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
