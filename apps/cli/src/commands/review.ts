import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { ReviewPool } from '@devmesh/analysis/findings/review-pool';
import { walk } from '@devmesh/analysis/findings/walk';
import { SETTINGS_RULE } from '@devmesh/analysis/policy/apply-settings';
import { baselineText } from '@devmesh/analysis/policy/baseline';
import { problemText } from '@devmesh/analysis/policy/located-yaml';
import { SETTINGS_FILE_BYTES } from '@devmesh/analysis/policy/settings-files';
import { ranked } from '@devmesh/analysis/report/ranking';
import { toSarif } from '@devmesh/analysis/report/sarif';
import { countBySeverity } from '@devmesh/analysis/report/verdict';
import { reviewProject, type ProjectReview } from '@devmesh/analysis/review/review-project';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Finding, Severity } from '@devmesh/contracts/finding';
import { changesOfWorkTree } from '@devmesh/repository/changes';
import { productVersion } from '../clone.js';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { plain, plural } from '../output/text.js';
import { theme } from '../output/theme.js';

export interface ReviewCommandOptions {
  readonly base?: string;
  readonly sarif?: string;
  readonly writeBaseline?: boolean;
  readonly json?: boolean;
}

/** Files from which on further processes are worth their start. */
const MANY_FILES = 100;

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
  if (options.writeBaseline === true && options.base !== undefined)
    throw new DevmeshError('invalid_request', 'a baseline is of all that there is: leave --base out');
  const found = await reviewOf(context, folder, options);
  const { verdict, summary, problems } = found;
  const findings = ranked(found.findings);
  if (options.sarif !== undefined) {
    const log = toSarif(found.findings, { version: productVersion(), rules: found.rules }, found);
    writeFileSync(resolve(context.cwd, options.sarif), `${JSON.stringify(log, null, 2)}\n`);
  }
  if (options.writeBaseline === true) return writeBaseline(context, folder, found);
  if (options.json === true) {
    const { existing, fixed, suppressed, off, staleBaseline, filesReviewed, filesSkipped } = found;
    const counted = {
      existing: existing.length,
      fixed: fixed.length,
      off: off.length,
      staleBaseline,
      filesReviewed,
      filesSkipped,
    };
    const result = { verdict, summary, counts: countBySeverity(findings), findings, suppressed, problems, ...counted };
    out.write(`${JSON.stringify(result)}\n`);
  } else {
    out.write(`${[...findings.flatMap((one) => findingLines(one, out.color)), plain(summary)].join('\n')}\n`);
    if (options.base !== undefined)
      out.write(`since ${options.base}: ${found.existing.length} were there before, ${found.fixed.length} are gone\n`);
  }
  return verdict === 'approved' ? EXIT.passed : EXIT.failed;
}

async function reviewOf(
  { interrupted: signal }: CliContext,
  folder: string,
  { base }: ReviewCommandOptions,
): Promise<ProjectReview> {
  const options = { nowMs: Date.now(), signal };
  if (base === undefined) {
    if (!(await hasMany(folder))) return reviewProject(folder, options);
    const pool = new ReviewPool();
    try {
      return await reviewProject(folder, { ...options, pool });
    } finally {
      pool.close();
    }
  }
  const change = await changesOfWorkTree(folder, base, SETTINGS_FILE_BYTES, signal);
  const inside = relative(change.root, await realpath(folder));
  const isAsked = (path: string | null): boolean =>
    inside === '' || path?.startsWith(`${inside}/`) === true || path?.startsWith('.devmesh/') === true;
  const files = change.files.filter(({ path, basePath }) => isAsked(path ?? basePath));
  return reviewProject(change.root, { ...options, change: { ...change, files } });
}

/** Whether there are so many files that further processes are worth their start. */
async function hasMany(folder: string): Promise<boolean> {
  let count = 0;
  for await (const entry of walk(folder)) if ('file' in entry && ++count > MANY_FILES) return true;
  return false;
}

/** Writes down what is found now, as what the project lives with; what the baseline held and still matches stays in it. */
function writeBaseline({ out }: CliContext, folder: string, found: ProjectReview): ExitCode {
  const broken = found.problems.find(({ path }) => path !== found.baselineFile);
  if (broken) throw new DevmeshError('invalid_request', `mend this first: ${problemText(broken)}`);
  const kept = found.suppressed.flatMap(({ by, finding }) => (by === 'baseline' ? [finding] : []));
  const findings = [...found.findings.filter(({ rule }) => rule !== SETTINGS_RULE), ...kept];
  mkdirSync(join(folder, '.devmesh'), { recursive: true });
  const file = join(folder, found.baselineFile);
  // Moved into place: a link of that name is replaced, not written through.
  writeFileSync(`${file}.new`, baselineText(findings), { flag: 'wx' });
  renameSync(`${file}.new`, file);
  out.write(`${plural(findings.length, 'finding')} in ${found.baselineFile}: commit it\n`);
  return EXIT.passed;
}

/** A finding for people: where, what, the line, and the way of the data. */
function findingLines(finding: Finding, color: boolean): string[] {
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
