import { DevmeshError } from '@devmesh/contracts/errors';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { shortId } from '../output/run-lines.js';
import { handOver } from '../run/hand-over.js';
import { showDiff } from '../run/user-git.js';
import { connect } from './mesh.js';
import { resolveRun } from './runs.js';

export interface DiffOptions {
  readonly stat?: boolean;
  readonly json?: boolean;
}

export async function diff(context: CliContext, given: string, options: DiffOptions): Promise<ExitCode> {
  const { out, home, self } = context;
  const { api } = await connect(context);
  const run = await api.run(await resolveRun(api, given));
  const { result } = run;
  if (run.prunedAt !== undefined)
    throw new DevmeshError(
      'gone',
      `what run ${shortId(run.id)} changed was removed on ${run.prunedAt.slice(0, 10)}: its branch, if it was fetched, is still in your repository`,
    );
  if (result === null) {
    if (options.json === true) out.write(`${JSON.stringify({ run: run.id, result: null, diff: '' })}\n`);
    else
      out.write(
        run.status === 'running'
          ? `run ${shortId(run.id)} has no result yet: ${self} show ${shortId(run.id)} --follow\n`
          : `run ${shortId(run.id)} changed nothing\n`,
      );
    return EXIT.passed;
  }
  const { repository, bundle } = await handOver(home, api, run, context.env);
  if (repository === null) {
    throw new DevmeshError(
      'invalid_request',
      `run ${shortId(run.id)} worked on a repository that is not on this machine: fetch its result into a clone with "git fetch ${bundle ?? ''} ${result.branch}" and use git diff there`,
    );
  }
  const chunks: Buffer[] = [];
  await showDiff(
    repository,
    result.base,
    result.commit,
    { color: out.color && options.json !== true, stat: options.stat === true, env: context.env },
    (chunk) => {
      if (options.json === true) chunks.push(chunk);
      else out.write(chunk.toString('utf8'));
    },
  );
  if (options.json === true)
    out.write(`${JSON.stringify({ run: run.id, result, diff: Buffer.concat(chunks).toString('utf8') })}\n`);
  return EXIT.passed;
}
