import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { ForkOrigin } from '@devmesh/contracts/event';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { headline, resultLines, shortId, stepLines, type HandedOver } from '../output/run-lines.js';
import { bytes, plain, table } from '../output/text.js';
import { theme, type Theme } from '../output/theme.js';
import { handOver, recallRun, runFolder } from '../run/hand-over.js';
import { connect } from './mesh.js';
import { resolveRun } from './runs.js';
import { exitCodeOfRun, watchRun } from './watch.js';

export interface ShowOptions {
  readonly at?: number;
  readonly follow?: boolean;
  readonly fetch?: boolean;
  readonly json?: boolean;
}

export async function show(context: CliContext, given: string, options: ShowOptions): Promise<ExitCode> {
  const { out, home, self } = context;
  const { api } = await connect(context);
  const run = await api.run(await resolveRun(api, given), options.at);
  if (options.at !== undefined && (options.follow === true || options.fetch === true))
    throw new DevmeshError('invalid_request', '--at shows the past: leave --follow and --fetch out');
  const gone = run.prunedAt !== undefined;
  if (gone && options.fetch === true)
    throw new DevmeshError(
      'gone',
      `the result of run ${shortId(run.id)} was removed on ${run.prunedAt?.slice(0, 10) ?? ''}: start it anew`,
    );
  if (options.follow === true && !gone) return watchRun(context, api, run, { json: options.json === true });
  const [artifacts, effects] = await Promise.all([gone ? [] : api.artifacts(run.id), api.effects(run.id)]);
  const delivered: HandedOver | null =
    options.fetch === true && run.status === 'ended' ? await handOver(home, api, run, context.env) : null;
  if (options.json === true) {
    out.write(`${JSON.stringify({ run, exitCode: exitCodeOfRun(run), delivered, artifacts, effects })}\n`);
    return EXIT.passed;
  }
  const paint = theme(out.color);
  const lines = { columns: out.columns, color: out.color, now: Date.now() };
  out.write(`${headline(run, lines)}\n`);
  if (run.task !== '') out.write(`${paint.dim('task')} ${plain(run.task).slice(0, 500)}\n`);
  if (run.forkOf) out.write(`${forkLine(run.forkOf, paint)}\n`);
  for (const { step, because } of run.plan ?? []) out.write(`${paint.dim('plan')} ${step}: ${plain(because)}\n`);
  out.write(gone ? '\n' : `\n${stepLines(run.steps, lines).join('\n')}\n\n`);
  out.write(
    `${resultLines(run, delivered ?? (await knownResult(context, run.id, run.result?.branch ?? null, run.result?.commit ?? null)), self, lines).join('\n')}\n`,
  );
  if (artifacts.length > 0) {
    const [head = '', ...rows] = table(
      ['ARTIFACT', 'STEP', 'SIZE', 'DIGEST'],
      artifacts.map(({ name, step, iteration, size, digest }) => [
        plain(name),
        iteration > 1 ? `${step} (round ${iteration})` : step,
        bytes(size),
        digest,
      ]),
      out.columns,
      [2],
    );
    out.write(`\n${[paint.dim(head), ...rows].join('\n')}\n`);
  }
  if (effects.length > 0) {
    const [head = '', ...rows] = table(
      ['EFFECT', 'STEP', 'STATE', 'WHAT'],
      effects.map(({ kind, name, step, status, result, intent }) => [
        `${kind} ${plain(name)}`,
        step,
        status,
        plain(JSON.stringify(result ?? intent)),
      ]),
      out.columns,
    );
    out.write(`\n${[paint.dim(head), ...rows].join('\n')}\n`);
  }
  out.write(`\n${paint.dim(`run ${run.id} · ${self} events ${shortId(run.id)} · ${self} logs ${shortId(run.id)}`)}\n`);
  return EXIT.passed;
}

function forkLine({ kind, from, runId, at }: ForkOrigin, paint: Theme): string {
  const what = kind === 'retry' ? 'retry' : `${kind} from ${from ?? ''}`;
  return `${paint.dim(what)} of run ${runId} ${paint.dim(`(event ${at})`)}`;
}

/** What was handed over before, as far as it is still there. */
async function knownResult(
  context: CliContext,
  run: string,
  branch: string | null,
  commit: string | null,
): Promise<HandedOver | null> {
  const folder = runFolder(context.home, run);
  const there = async (name: string): Promise<string | null> =>
    access(join(folder, name)).then(
      () => join(folder, name),
      () => null,
    );
  const [record, report, sarif] = await Promise.all([
    recallRun(context.home, run),
    there('report.md'),
    there('findings.sarif'),
  ]);
  if (record === null) return null;
  let made: string | null = null;
  if (record.repository !== null && branch !== null && commit !== null) {
    const { branchIsAt } = await import('../run/user-git.js');
    if (await branchIsAt(record.repository, branch, commit, context.env)) made = branch;
  }
  return { repository: record.repository, branch: made, commits: null, report, sarif, bundle: null, folder };
}
