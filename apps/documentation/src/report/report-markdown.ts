import type { FixHistory } from '@devmesh/contracts/fix-history';
import { SEVERITIES, type Finding } from '@devmesh/contracts/finding';
import { runBranch } from '@devmesh/contracts/run';
import { code, plain, table } from '../sections/markdown.js';
import { artifactsOf, outputsOf, Outputs, type RunSummary, type StepSummary } from './run-summary.js';

const MAX_FINDINGS = 100;
const MAX_ROWS = 200;

/** What became of safe fixes, with the round of each. */
export interface TriedFixes {
  readonly fixed: FixHistory['fixed'];
  readonly dropped: readonly Omit<FixHistory['dropped'][number], 'fingerprint'>[];
}

/** The report of a run as Markdown. All text of others is escaped; `findings` are the last ones of review and documentation, worst first. */
export function reportMarkdown(run: RunSummary, findings: readonly Finding[], tried: TriedFixes): string {
  const sections = [
    head(run),
    changes(run),
    steps(run.steps),
    fixes(tried),
    tests(run.steps),
    findingsSection(run.steps, findings),
    leftOut(run),
    notices(run),
    artifacts(run.steps),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function head(run: RunSummary): string {
  const facts: [string, string][] = [
    ['Verdict', `**${plain(run.verdict || 'unknown')}**${run.reason === '' ? '' : `: ${plain(run.reason)}`}`],
    ['Task', plain(run.task, 2000)],
    ['Workflow', plain(run.workflow)],
    ['Run', code(run.runId)],
  ];
  if (run.repository) {
    const branch = run.repository.branch === null ? '' : ` (branch ${code(run.repository.branch)})`;
    facts.push(['Repository', `${code(run.repository.origin, 500)}${branch}, commit ${code(run.repository.base)}`]);
  }
  const lines = facts.filter(([, value]) => value !== '').map(([name, value]) => `- ${name}: ${value}`);
  return `# Report of the run\n\n${lines.join('\n')}`;
}

/** The branch and its commits: those of the integration that ended last. */
function changes(run: RunSummary): string {
  const last = outputsOf(run.steps, Outputs.Integration)
    .sort((a, b) => (a.step.startedAt ?? 0) - (b.step.startedAt ?? 0))
    .at(-1);
  if (!last) return '';
  const { commits } = last.value;
  if (commits.length === 0) return '## What was done\n\nNothing was changed.';
  const rows = commits
    .slice(0, MAX_ROWS)
    .map(({ commit, title, agent, step }) => [code(commit.slice(0, 12)), plain(title), plain(agent), plain(step)]);
  const branch = `Branch ${code(runBranch(run.runId))}:`;
  return `## What was done\n\n${branch}\n\n${table(['Commit', 'Change', 'Agent', 'Step'], rows)}`;
}

/** What was fixed and proved, and what was not and why. */
function fixes({ fixed, dropped }: TriedFixes): string {
  const where = (one: { path: string; line: number }): string => code(`${one.path}:${one.line}`, 300);
  const parts: string[] = [];
  if (fixed.length > 0) {
    const rows = fixed
      .slice(0, MAX_ROWS)
      .map((one) => [code(one.rule), where(one), plain(one.fix, 300), String(one.round)]);
    const proof = 'Each is proved: the file parses, the finding is gone, none is new, and the types are no worse.';
    parts.push(`${proof}\n\n${table(['Rule', 'Where', 'Fix', 'Round'], rows)}`);
  }
  if (dropped.length > 0) {
    const rows = dropped
      .slice(0, MAX_ROWS)
      .map((one) => [code(one.rule), where(one), plain(one.reason, 300), String(one.round)]);
    parts.push(`Fixes that were dropped:\n\n${table(['Rule', 'Where', 'Why', 'Round'], rows)}`);
  }
  return parts.length === 0 ? '' : `## Safe fixes\n\n${parts.join('\n\n')}`;
}

/** What the repository's own tests said, where they were asked for. */
function tests(all: readonly StepSummary[]): string {
  const parts = outputsOf(all, Outputs.Tests).map(({ step, value: { tests: said } }) => {
    const rows = said.suites
      .slice(0, MAX_ROWS)
      .map(({ command, root, because, before, after, why }) => [
        code(command, 300),
        code(root, 300),
        plain(because, 300),
        plain(before),
        plain(after ?? 'not run'),
        plain(why, 500),
      ]);
    const columns = ['Command', 'In', 'Because', 'Before', 'With the change', 'How it ended'];
    const outputs = said.suites
      .filter(({ output, before, after }) => output !== '' && (after === 'red' || before === 'red'))
      .map(({ command, output }) => `The last lines of ${code(command, 300)}:\n\n${indented(output)}`);
    return [
      `Step ${code(step.id)}, **${plain(said.verdict)}**: ${plain(said.summary, 1000)}`,
      ...(rows.length > 0 ? [table(columns, rows)] : []),
      ...outputs,
    ].join('\n\n');
  });
  return parts.length === 0 ? '' : `## Tests\n\n${parts.join('\n\n')}`;
}

/** A block of code that no line of it can end. */
function indented(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => `    ${line}`)
    .join('\n');
}

/** Milliseconds for people. */
function duration(ms: number | null): string {
  if (ms === null) return '';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

function steps(all: readonly StepSummary[]): string {
  if (all.length === 0) return '';
  const rows = all.slice(0, MAX_ROWS).map((step) => {
    const fallen = step.fallback === null ? null : `fell back on its declared output: ${step.fallback}`;
    const summary =
      step.error ?? fallen ?? (typeof step.output?.['summary'] === 'string' ? step.output['summary'] : '');
    const round = step.attempt > 1 ? `${step.iteration} (attempt ${step.attempt})` : String(step.iteration);
    return [
      code(step.id),
      plain(step.agent),
      plain(step.outcome),
      round,
      duration(step.elapsedMs),
      plain(summary, 300),
    ];
  });
  return `## Steps\n\n${table(['Step', 'Agent', 'Outcome', 'Round', 'Time', 'Result'], rows)}`;
}

function findingsSection(all: readonly StepSummary[], findings: readonly Finding[]): string {
  const reviews = outputsOf(all, Outputs.Review);
  if (reviews.length === 0) return '';
  const counts = reviews.map(({ step, value }) => [
    code(step.id),
    ...SEVERITIES.map((severity) => String(value.counts[severity])),
    String(value.fixable),
  ]);
  const parts = [`## Findings\n\n${table(['Review', ...SEVERITIES, 'with a safe fix'], counts)}`];
  if (findings.length > 0) {
    const rows = findings
      .slice(0, MAX_FINDINGS)
      .map(({ severity, rule, location, message }) => [
        severity,
        code(rule),
        code(`${location.path}:${location.startLine}`, 300),
        plain(message, 300),
      ]);
    parts.push(`What was found last:\n\n${table(['Severity', 'Rule', 'Where', 'What'], rows)}`);
    if (findings.length > MAX_FINDINGS) parts.push(`And ${findings.length - MAX_FINDINGS} more, in the artifacts.`);
  }
  return parts.join('\n\n');
}

function leftOut({ steps: all, notifications }: RunSummary): string {
  const lines = [
    ...outputsOf(all, Outputs.Integration).flatMap(({ value }) =>
      value.leftOut.map(({ title, reason }) => `- ${plain(title)}: ${plain(reason)}`),
    ),
    ...outputsOf(all, Outputs.Keeping).flatMap(({ value }) =>
      value.kept.map(({ path, reason }) => `- ${code(path)}: ${plain(reason)}`),
    ),
    ...notifications.map(({ step, message }) => `- step ${code(step)}: ${plain(message)}`),
  ];
  return lines.length === 0
    ? ''
    : `## Left out or kept, and why\n\n${[...new Set(lines)].slice(0, MAX_ROWS).join('\n')}`;
}

function notices(run: RunSummary): string {
  if (run.notices.length === 0) return '';
  return `## Notices\n\n${run.notices.map((notice) => `- ${plain(notice, 2000)}`).join('\n')}`;
}

function artifacts(all: readonly StepSummary[]): string {
  const rows = artifactsOf(all).map(({ step, artifact }) => [
    plain(artifact.name),
    plain(artifact.mediaType),
    String(artifact.size),
    code(artifact.digest),
    code(step),
  ]);
  if (rows.length === 0) return '';
  return `## Artifacts\n\n${table(['Name', 'Type', 'Bytes', 'SHA-256', 'Step'], rows.slice(0, MAX_ROWS))}`;
}
