import { DevmeshError } from '@devmesh/contracts/errors';
import type { MeshApi } from '../gateway/mesh-api.js';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { duration, plural } from '../output/text.js';
import { theme } from '../output/theme.js';
import { connect } from './mesh.js';

export interface PruneOptions {
  /** ms. */
  readonly olderThan: number;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export async function prune(context: CliContext, options: PruneOptions): Promise<ExitCode> {
  const { api } = await connect(context);
  return pruneRuns(context, api, options);
}

/** Says how much there is, asks, and removes it. */
export async function pruneRuns(
  context: CliContext,
  api: Pick<MeshApi, 'prune'>,
  options: PruneOptions,
): Promise<ExitCode> {
  const { out, self } = context;
  const { olderThan: olderThanMs, dryRun = false, json = false } = options;
  const found = await api.prune({ olderThanMs, dryRun: true });
  const what = `the detail of ${plural(found.runs, 'run')} that ended more than ${duration(olderThanMs)} ago (${plural(found.events, 'event')})`;
  if (dryRun || found.runs === 0) {
    if (json)
      out.write(`${JSON.stringify({ dryRun, runs: dryRun ? found.runs : 0, events: dryRun ? found.events : 0 })}\n`);
    else if (found.runs === 0)
      out.write(`no run ended more than ${duration(olderThanMs)} ago and still has its detail\n`);
    else out.write(`would remove ${what}; verdicts, reasons and effects stay\n`);
    return EXIT.passed;
  }
  if (options.yes !== true) {
    if (!out.terminal || json)
      throw new DevmeshError('invalid_request', `nobody is here to be asked: say ${self} prune … --yes`);
    if (!(await context.confirm(`Remove ${what} for good? [y/N] `))) {
      out.write('nothing was removed\n');
      return EXIT.cancelled;
    }
  }
  const removed = { runs: 0, events: 0 };
  for (let more = true; more;) {
    const part = await api.prune({ olderThanMs });
    removed.runs += part.runs;
    removed.events += part.events;
    more = part.more;
  }
  if (json) out.write(`${JSON.stringify({ dryRun, ...removed })}\n`);
  else
    out.write(
      `${theme(out.color).good('✔')} removed the detail of ${plural(removed.runs, 'run')} (${plural(removed.events, 'event')}); artifacts that nothing refers to any more go later\n`,
    );
  return EXIT.passed;
}
