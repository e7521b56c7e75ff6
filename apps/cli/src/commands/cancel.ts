import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { shortId, verdictText } from '../output/run-lines.js';
import { theme } from '../output/theme.js';
import { connect } from './mesh.js';
import { resolveRun } from './runs.js';

export interface CancelOptions {
  readonly reason: string;
  readonly json?: boolean;
}

export async function cancel(context: CliContext, given: string, options: CancelOptions): Promise<ExitCode> {
  const { out, self } = context;
  const { api } = await connect(context);
  const run = await api.cancel(await resolveRun(api, given), options.reason);
  if (options.json === true) out.write(`${JSON.stringify({ run })}\n`);
  else if (run.status === 'ended')
    out.write(`run ${shortId(run.id)} is over: ${verdictText(run.verdict, run.status, out.color)}\n`);
  else
    out.write(
      `${theme(out.color).good('✔')} run ${shortId(run.id)} is being cancelled: ${self} show ${shortId(run.id)} --follow\n`,
    );
  return EXIT.passed;
}

export async function pause(context: CliContext, given: string, options: CancelOptions): Promise<ExitCode> {
  const { out, self } = context;
  const { api } = await connect(context);
  const run = await api.pause(await resolveRun(api, given), options.reason);
  if (options.json === true) out.write(`${JSON.stringify({ run })}\n`);
  else if (run.status === 'ended')
    out.write(`run ${shortId(run.id)} is over: ${verdictText(run.verdict, run.status, out.color)}\n`);
  else
    out.write(
      `${theme(out.color).good('✔')} run ${shortId(run.id)} is being paused; what is under way ends: ${self} resume ${shortId(run.id)}\n`,
    );
  return EXIT.passed;
}

export async function resume(
  context: CliContext,
  given: string,
  options: { readonly json?: boolean },
): Promise<ExitCode> {
  const { out, self } = context;
  const { api } = await connect(context);
  const run = await api.resume(await resolveRun(api, given));
  if (options.json === true) out.write(`${JSON.stringify({ run })}\n`);
  else if (run.status === 'ended')
    out.write(
      `run ${shortId(run.id)} is over: ${verdictText(run.verdict, run.status, out.color)}; there is nothing to wake\n`,
    );
  else
    out.write(
      `${theme(out.color).good('✔')} run ${shortId(run.id)} was woken: ${self} show ${shortId(run.id)} --follow\n`,
    );
  return EXIT.passed;
}
