import { existsSync, statSync, writeFileSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { reviewChange } from '@devmesh/analysis/change/review-change';
import { MAX_FILE_BYTES } from '@devmesh/analysis/findings/read-text';
import { reviewTree } from '@devmesh/analysis/findings/review-tree';
import { toSarif } from '@devmesh/analysis/report/sarif';
import { countBySeverity, summaryOf, verdictOf } from '@devmesh/analysis/report/verdict';
import { RULES } from '@devmesh/analysis/rules/catalogue';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Finding, Severity } from '@devmesh/contracts/finding';
import { changesOfWorkTree } from '@devmesh/repository/changes';
import { productVersion } from '../clone.js';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { plain } from '../output/text.js';
import { theme } from '../output/theme.js';

export interface ReviewCommandOptions {
  readonly base?: string;
  readonly sarif?: string;
  readonly json?: boolean;
}

interface Reviewed {
  readonly findings: readonly Finding[];
  readonly existing: number;
  readonly fixed: number;
  readonly filesReviewed: number;
  readonly filesSkipped: number;
}

/** Reviews a local folder as it is, without a mesh: all of it, or what its branch and working tree change since `base`. */
export async function review(
  context: CliContext,
  given: string | undefined,
  options: ReviewCommandOptions,
): Promise<ExitCode> {
  const { out } = context;
  const folder = resolve(context.cwd, given ?? '.');
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new DevmeshError('invalid_request', `${folder} is not a folder`);
  const reviewed = await reviewOf(context, folder, options);
  const { findings } = reviewed;
  const threshold = { rejectAt: 'high', rejectOn: 'all' } as const;
  const verdict = verdictOf(findings, threshold);
  const summary = summaryOf(findings, threshold);
  if (options.sarif !== undefined) {
    const log = toSarif(findings, { version: productVersion(), rules: RULES });
    writeFileSync(resolve(context.cwd, options.sarif), `${JSON.stringify(log, null, 2)}\n`);
  }
  if (options.json === true) {
    out.write(`${JSON.stringify({ verdict, summary, counts: countBySeverity(findings), ...reviewed })}\n`);
  } else {
    out.write(`${[...findings.flatMap((one) => findingLines(one, out.color)), summary].join('\n')}\n`);
    if (options.base !== undefined)
      out.write(`since ${options.base}: ${reviewed.existing} were there before, ${reviewed.fixed} are gone\n`);
  }
  return verdict === 'approved' ? EXIT.passed : EXIT.failed;
}

async function reviewOf(
  { interrupted: signal }: CliContext,
  folder: string,
  { base }: ReviewCommandOptions,
): Promise<Reviewed> {
  if (base === undefined) {
    const { findings, filesReviewed, filesSkipped } = await reviewTree(folder, { signal });
    return { findings, existing: 0, fixed: 0, filesReviewed, filesSkipped };
  }
  const change = await changesOfWorkTree(folder, base, MAX_FILE_BYTES, signal);
  const inside = relative(change.root, await realpath(folder));
  const isAsked = (path: string | null): boolean => inside === '' || path?.startsWith(`${inside}/`) === true;
  const files = change.files.filter(({ path, basePath }) => isAsked(path ?? basePath));
  const found = await reviewChange(change.root, { ...change, files }, { signal });
  return {
    findings: found.introduced,
    existing: found.existing.length,
    fixed: found.fixed.length,
    filesReviewed: found.filesReviewed,
    filesSkipped: found.filesSkipped,
  };
}

/** A finding for people: where, what, the line, and the way of the data. */
export function findingLines(finding: Finding, color: boolean): string[] {
  const paint = theme(color);
  const { path, startLine, startColumn } = finding.location;
  const [line = ''] = finding.snippet.split('\n');
  const way = (finding.trace ?? []).map(
    (station) => `    ${paint.dim(`from ${plain(station.path)}:${station.startLine}: ${plain(station.note)}`)}`,
  );
  return [
    `${paint.strong(`${plain(path)}:${startLine}:${startColumn}`)} ${severityText(finding.severity, color)} ${finding.rule}`,
    `    ${plain(finding.message)}`,
    ...(line === '' ? [] : [`    ${paint.dim('|')} ${plain(line)}`]),
    ...way,
    '',
  ];
}

function severityText(severity: Severity, color: boolean): string {
  const paint = theme(color);
  if (severity === 'critical' || severity === 'high') return paint.bad(severity);
  return severity === 'medium' ? paint.warn(severity) : paint.dim(severity);
}
