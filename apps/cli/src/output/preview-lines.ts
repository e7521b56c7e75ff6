import type { RunPreview } from '@devmesh/contracts/run-preview';
import { duration, plain } from './text.js';
import { theme } from './theme.js';

/** What a run would do: a line for each step, under the number of its wave. */
export function previewLines(preview: RunPreview, color: boolean): string[] {
  const paint = theme(color);
  const steps = new Map(preview.steps.map((step) => [step.id, step]));
  const approvals = new Map(preview.approvals.map((approval) => [approval.step, approval]));
  const line = (id: string): string => {
    const approval = approvals.get(id);
    if (approval)
      return `   ${id}  asks: ${plain(approval.title)} ${paint.dim(`(within ${duration(approval.deadlineMs)})`)}`;
    const step = steps.get(id);
    const notes = [
      step !== undefined && step.effects !== 'none' ? paint.warn('acts on the world outside') : null,
      step?.maxItems ? `for each item, at most ${step.maxItems}` : null,
      step?.when ? `when ${plain(step.when)}` : null,
    ].filter((note) => note !== null);
    return `   ${id}  ${paint.dim(step?.action ?? '')}${notes.length === 0 ? '' : `  ${notes.join(', ')}`}`;
  };
  const { timeoutMs, maxParallelAgents, maxConcurrentRuns } = preview.limits;
  const limits = [
    timeoutMs === null ? null : `${duration(timeoutMs)} in all`,
    maxParallelAgents === null ? null : `${maxParallelAgents} agents at once`,
    maxConcurrentRuns === null ? null : `${maxConcurrentRuns} runs at once`,
  ].filter((limit) => limit !== null);
  return [
    `${paint.strong(preview.workflow.name)} ${paint.dim(preview.workflow.digest)}`,
    ...(preview.plan ?? []).map(({ step, because }) => `${paint.dim('plan')} ${step}: ${plain(because)}`),
    ...preview.waves.flatMap((wave, index) => [paint.dim(`${index + 1}`), ...wave.map(line)]),
    ...(preview.otherwise.length === 0
      ? []
      : [paint.dim('only when something does not go well'), ...preview.otherwise.map(line)]),
    ...(limits.length === 0 ? [] : [`${paint.dim('limits')} ${limits.join(', ')}`]),
    ...(preview.missingAgents.length === 0
      ? []
      : [paint.warn(`no instance now of ${preview.missingAgents.join(', ')}: their steps would wait`)]),
    paint.dim('nothing was started'),
  ];
}
