import type { EventOf } from '@devmesh/contracts/event';
import type { SeverityCounts } from '@devmesh/contracts/finding';
import { SEVERITIES } from '@devmesh/contracts/finding';
import type { RunView } from '@devmesh/contracts/gateway-api';
import type { RunVerdict, StepStatus, StepView } from '@devmesh/contracts/run';
import { cut, duration, padEnd, padStart, plain, plural, width } from './text.js';
import { theme, type Theme } from './theme.js';

export interface LineOptions {
  readonly columns: number;
  readonly color: boolean;
  /** Unix ms. */
  readonly now: number;
  /** What steps say of themselves, newer than their summaries. */
  readonly progress?: ReadonlyMap<string, string>;
  /** Which picture of the spinner. */
  readonly frame?: number;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** A state in one character and its colour: readable without the colour. */
function glyph(status: StepStatus, paint: Theme, frame: number): string {
  switch (status) {
    case 'pending':
      return paint.dim('○');
    case 'waiting':
      return paint.warn('◌');
    case 'running':
      return paint.busy(SPINNER[frame % SPINNER.length] ?? '●');
    case 'fanned':
      return paint.busy(SPINNER[frame % SPINNER.length] ?? '●');
    case 'awaiting':
      return paint.warn('?');
    case 'retrying':
      return paint.warn('↻');
    case 'succeeded':
      return paint.good('✔');
    case 'rejected':
      return paint.warn('✘');
    case 'failed':
      return paint.bad('✖');
    case 'skipped':
      return paint.dim('–');
    case 'cancelled':
      return paint.dim('⊘');
  }
}

export interface PlacedStep {
  readonly step: StepView;
  /** What is drawn before it: nothing for a step alone on its level, a branch for parallel ones. */
  readonly branch: '' | '┌─ ' | '├─ ' | '└─ ';
}

/**
 * The order and shape of the tree: steps by how long the longest way to them is; those that share a level run in parallel and
 * are drawn as branches of what is above. In a level the order of the definition stays. Total: a step that needs an unknown
 * step, or itself, is placed as if it didn't.
 */
export function placeSteps(steps: readonly StepView[]): PlacedStep[] {
  const known = new Map(steps.map((step) => [step.id, step]));
  const depths = new Map<string, number>();
  const depth = (id: string, above: ReadonlySet<string>): number => {
    const seen = depths.get(id);
    if (seen !== undefined) return seen;
    const needs = (known.get(id)?.needs ?? []).filter((need) => known.has(need) && !above.has(need));
    const found = needs.length === 0 ? 0 : 1 + Math.max(...needs.map((need) => depth(need, new Set([...above, id]))));
    depths.set(id, found);
    return found;
  };
  const levels: StepView[][] = [];
  for (const step of steps) (levels[depth(step.id, new Set([step.id]))] ??= []).push(step);
  return levels.flatMap((level, i) =>
    level.map((step, j) => ({
      step,
      branch: level.length === 1 ? '' : j === level.length - 1 ? '└─ ' : j === 0 && i === 0 ? '┌─ ' : '├─ ',
    })),
  );
}

/** How long a step has run, ms; null when it hasn't. */
export function elapsed(step: StepView, now: number): number | null {
  if (step.startedAt === null) return null;
  return Math.max(0, (step.endedAt === null ? now : Date.parse(step.endedAt)) - Date.parse(step.startedAt));
}

const ACTIVE: ReadonlySet<StepStatus> = new Set<StepStatus>(['running', 'waiting', 'retrying']);

function remark(step: StepView, progress: ReadonlyMap<string, string> | undefined): string {
  const parts: string[] = [];
  if (step.iteration > 1) parts.push(`round ${step.iteration}`);
  if (step.attempt > 1) parts.push(`attempt ${step.attempt}`);
  const said = (ACTIVE.has(step.status) ? progress?.get(step.id) : undefined) ?? step.summary;
  if (said !== null && said !== undefined && said !== '') parts.push(plain(said));
  else if (step.status === 'waiting') parts.push(`no ${step.agent} is there yet`);
  // Whoever watches is told how to decide.
  if (step.status === 'awaiting' && step.approvalId !== undefined)
    parts.push(`devmesh approve ${shortId(step.approvalId)}, or reject`);
  return parts.join(' · ');
}

/** The steps of a run as lines no wider than `columns`. */
export function stepLines(steps: readonly StepView[], options: LineOptions): string[] {
  const { columns, color, now, progress, frame = 0 } = options;
  const paint = theme(color);
  const placed = placeSteps(steps);
  const nameWidth = Math.min(32, Math.max(0, ...placed.map(({ step, branch }) => width(branch) + 2 + width(step.id))));
  const agentWidth = Math.min(20, Math.max(0, ...steps.map(({ agent }) => width(agent))));
  // On a narrow terminal the agent goes first, then the remark.
  const showAgent = columns >= nameWidth + agentWidth + 20;
  return placed.map(({ step, branch }) => {
    const quiet = step.status === 'pending' || step.status === 'skipped' || step.status === 'cancelled';
    const id = cut(step.id, Math.max(4, nameWidth - width(branch) - 2));
    const name = `${paint.dim(branch)}${glyph(step.status, paint, frame)} ${quiet ? paint.dim(id) : step.status === 'running' ? paint.strong(id) : id}`;
    const ms = elapsed(step, now);
    const left = [
      padEnd(name, nameWidth),
      ...(showAgent ? [paint.dim(padEnd(cut(step.agent, agentWidth), agentWidth))] : []),
      padStart(ms === null ? '' : duration(ms), 9),
    ].join('  ');
    const room = columns - width(left) - 2;
    const text = room < 8 ? '' : cut(remark(step, progress), room);
    const painted =
      step.status === 'failed' ? paint.bad(text) : step.status === 'rejected' ? paint.warn(text) : paint.dim(text);
    return cutLine(text === '' ? left.trimEnd() : `${left}  ${painted}`, columns);
  });
}

/** A line that may hold colours, cut only when it must be. */
function cutLine(line: string, columns: number): string {
  return width(line) <= columns ? line : cut(line.replace(/\u001b\[[0-9;]*m/g, ''), columns);
}

/** "2 critical · 6 high", worst first; "none" when there are none. */
export function findingsText(counts: SeverityCounts, color: boolean): string {
  const paint = theme(color);
  const tone: Record<(typeof SEVERITIES)[number], (text: string) => string> = {
    critical: paint.critical,
    high: paint.bad,
    medium: paint.warn,
    low: (text) => text,
    info: paint.dim,
  };
  const shown = SEVERITIES.filter((severity) => counts[severity] > 0).map((severity) =>
    tone[severity](`${counts[severity]} ${severity}`),
  );
  return shown.length === 0 ? paint.good('none') : shown.join(paint.dim(' · '));
}

export function verdictText(verdict: RunVerdict | null, status: RunView['status'], color: boolean): string {
  const paint = theme(color);
  if (status === 'stuck') return paint.warn('▲ stuck');
  if (status === 'paused') return paint.warn('‖ paused');
  if (status === 'queued') return paint.dim('○ queued');
  switch (verdict) {
    case 'passed':
      return paint.good('✔ passed');
    case 'partial':
      return paint.warn('◐ partial');
    case 'rejected':
      return paint.warn('✘ rejected');
    case 'failed':
      return paint.bad('✖ failed');
    case 'cancelled':
      return paint.dim('⊘ cancelled');
    case null:
      return paint.busy('● running');
  }
}

/** How a run is called in short: the last characters of its id, which are random. */
export const shortId = (id: string): string => id.slice(-8);

/** The first line of a run: what, on what. */
export function headline(run: RunView, options: Pick<LineOptions, 'columns' | 'color'>): string {
  const paint = theme(options.color);
  const where =
    run.repository === null ? '' : `${plain(run.repository.origin)} @ ${run.repository.ref.base.slice(0, 10)}`;
  const left = `${paint.strong(run.workflow)}  ${paint.dim(`run ${shortId(run.id)}`)}`;
  const room = options.columns - width(left) - 2;
  return where === '' || room < 12 ? left : `${left}  ${paint.dim(cut(where, room))}`;
}

export interface HandedOver {
  /** Where the branch was made; null when there is none, or nowhere to make it. */
  readonly repository: string | null;
  readonly branch: string | null;
  readonly commits: number | null;
  readonly report: string | null;
  readonly sarif: string | null;
  readonly bundle: string | null;
  readonly folder: string;
}

/** What a run came to, for the end of `run` and for `show`. */
export function resultLines(run: RunView, handed: HandedOver | null, self: string, options: LineOptions): string[] {
  const { color, columns, now } = options;
  const paint = theme(color);
  const took = (run.endedAt === null ? now : Date.parse(run.endedAt)) - Date.parse(run.createdAt);
  const lines = [
    `${paint.strong(verdictText(run.verdict, run.status, color))}${run.endedAt === null ? ', for' : ' in'} ${duration(took)}`,
  ];
  const row = (name: string, text: string): void => {
    lines.push(`  ${paint.dim(padEnd(name, 9))} ${text}`);
  };
  const reason = plain(run.reason ?? '');
  if (reason !== '') row('because', reason);
  if (run.status === 'stuck') {
    row('trouble', plain(run.lastTurnError ?? `${plural(run.turnFailures, 'turn')} failed`));
    row('cure', `${self} logs orchestrator, then ${self} resume ${shortId(run.id)}`);
  }
  if (run.prunedAt !== undefined) {
    row('detail', `removed on ${run.prunedAt.slice(0, 10)}: steps, events and artifacts are gone`);
    row('cure', paint.dim('for later runs: DEVMESH_RETENTION_DAYS keeps it for longer, export saves it'));
    return lines;
  }
  if (run.findings !== null) row('findings', findingsText(run.findings, color));
  if (run.status === 'ended' && run.result === null && run.verdict === 'passed')
    row('branch', paint.dim('none: nothing had to be changed'));
  else if (run.result !== null) {
    const commits = typeof handed?.commits !== 'number' ? '' : paint.dim(` (${plural(handed.commits, 'commit')})`);
    if (typeof handed?.branch === 'string' && handed.repository !== null)
      row('branch', `${paint.good(handed.branch)}${commits} ${paint.dim('in')} ${handed.repository}`);
    else if (typeof handed?.bundle === 'string')
      row('bundle', `${handed.bundle} ${paint.dim(`(git fetch it: ${run.result.branch})`)}`);
    else
      row(
        'branch',
        `${run.result.branch} ${paint.dim(`(not in your repository yet: ${self} show ${shortId(run.id)} --fetch)`)}`,
      );
  }
  if (typeof handed?.report === 'string') row('report', handed.report);
  if (typeof handed?.sarif === 'string') row('sarif', handed.sarif);
  if (run.costDollars > 0) row('cost', `$${run.costDollars.toFixed(2)}`);
  for (const notice of run.repository?.notices ?? [])
    row('note', paint.dim(cut(plain(notice.message), Math.max(20, columns - 12))));
  return lines;
}

/** That a step sends work back, and to where. */
export function sentBackLine(
  run: RunView,
  event: EventOf<'ReworkStarted'>,
  options: Pick<LineOptions, 'color' | 'now'>,
): string {
  const paint = theme(options.color);
  const nameWidth = Math.max(0, ...run.steps.map(({ id }) => width(id)));
  const at = padStart(duration(options.now - Date.parse(run.createdAt)), 8);
  const word = event.on === 'rejection' ? 'rejected' : event.on;
  return `${at}  ${padEnd(event.by, nameWidth)}  ${paint.warn('↻')} ${word}  ${paint.dim(`back to ${event.target}`)}`;
}

/** What changed between two views, a line for each, for output that can't be redrawn. */
export function changeLines(
  before: RunView | null,
  after: RunView,
  options: Pick<LineOptions, 'color' | 'now'>,
): string[] {
  const paint = theme(options.color);
  const old = new Map(before?.steps.map((step) => [step.id, step]) ?? []);
  const nameWidth = Math.max(0, ...after.steps.map(({ id }) => width(id)));
  const lines: string[] = [];
  for (const { step } of placeSteps(after.steps)) {
    const was = old.get(step.id);
    if (step.status === 'pending') continue;
    if (
      was !== undefined &&
      was.status === step.status &&
      was.iteration === step.iteration &&
      was.attempt === step.attempt
    )
      continue;
    const at = padStart(duration(options.now - Date.parse(after.createdAt)), 8);
    const text = remark(step, undefined);
    lines.push(
      `${at}  ${padEnd(step.id, nameWidth)}  ${glyph(step.status, paint, 4)} ${step.status}${text === '' ? '' : `  ${paint.dim(text)}`}`,
    );
  }
  return lines;
}
