import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { CreateRun, RunView } from '@devmesh/contracts/gateway-api';
import { WORKFLOW_LIMITS } from '@devmesh/contracts/workflow';
import { CLONE } from '../clone.js';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { shortId } from '../output/run-lines.js';
import { bytes } from '../output/text.js';
import { theme } from '../output/theme.js';
import { previewLines } from '../output/preview-lines.js';
import { rememberRun } from '../run/hand-over.js';
import { chooseRepository, packForRun, type PackedForRun } from '../run/repository.js';
import { openHome } from '../supervisor/home.js';
import { start, upLine } from './mesh.js';
import { watchRun } from './watch.js';

export interface RunOptions {
  readonly repo?: string;
  readonly ref?: string;
  readonly workflow?: string;
  readonly portBase?: number;
  readonly priority?: number;
  /** Whether the repository's own tests are run, in a sandbox. */
  readonly runTests?: boolean;
  readonly detach?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** The task as text; refused when it is over the limit, before anything is started for it. */
async function readTask(context: CliContext, given: string | undefined): Promise<string> {
  const task = given === '-' ? await context.readStdin() : (given ?? '');
  const size = Buffer.byteLength(task);
  if (size > WORKFLOW_LIMITS.taskBytes) {
    throw new DevmeshError(
      'payload_too_large',
      `the task has ${bytes(size)}, and a task has at most ${bytes(WORKFLOW_LIMITS.taskBytes)}: shorten it, or put the material into the repository`,
    );
  }
  return task;
}

const WORKFLOW_FILE = /\.ya?ml$/i;

/** A workflow by name, or the source of a YAML file. */
export async function readWorkflow(context: CliContext, given: string | undefined): Promise<CreateRun['workflow']> {
  if (given === undefined) return undefined;
  if (!WORKFLOW_FILE.test(given)) return { name: given };
  const file = resolve(context.cwd, given);
  let source: Buffer;
  try {
    source = await readFile(file);
  } catch (error) {
    throw new DevmeshError(
      'invalid_request',
      `the workflow file ${file} can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}): check the path`,
      { cause: error },
    );
  }
  if (source.length > WORKFLOW_LIMITS.sourceBytes) {
    throw new DevmeshError(
      'payload_too_large',
      `the workflow file ${file} has ${bytes(source.length)}, and a workflow has at most ${bytes(WORKFLOW_LIMITS.sourceBytes)}`,
    );
  }
  return { source: source.toString() };
}

/** The gateway knows only the source of a workflow; a problem in it is told with the file that it is in. */
function inFile(error: unknown, workflow: string | undefined): unknown {
  const ours = error instanceof DevmeshError && error.code === 'invalid_workflow';
  if (!ours || workflow === undefined || !WORKFLOW_FILE.test(workflow)) return error;
  return new DevmeshError(error.code, `${workflow}: ${error.message}`, { issues: error.issues, cause: error });
}

interface Prepared {
  readonly body: CreateRun;
  readonly packed: PackedForRun | null;
}

async function prepare(context: CliContext, task: string, options: RunOptions): Promise<Prepared> {
  const { home, cwd } = context;
  const workflow = await readWorkflow(context, options.workflow);
  const { priority, runTests } = options;
  const common = {
    task,
    ...(workflow === undefined ? {} : { workflow }),
    ...(priority === undefined ? {} : { priority }),
    ...(runTests === true ? { runTests } : {}),
  };
  const choice = options.repo === undefined ? null : chooseRepository(options.repo, cwd);
  if (choice?.kind === 'url') {
    return {
      body: { ...common, repository: { url: choice.url, ...(options.ref === undefined ? {} : { ref: options.ref }) } },
      packed: null,
    };
  }
  await openHome(home);
  let path = choice?.path;
  if (path === undefined) {
    const { sampleRepository } = await import('../run/sample.js');
    path = await sampleRepository(home, CLONE, context.env);
  }
  const packed = await packForRun(home, path, options.ref, context.interrupted);
  return { body: { ...common, repository: packed.body }, packed };
}

async function submit(
  context: CliContext,
  prepared: Prepared,
  options: RunOptions,
): Promise<{ api: Awaited<ReturnType<typeof start>>['api']; run: RunView }> {
  const { out } = context;
  const talk = options.json !== true && options.quiet !== true;
  const { api, status, fresh } = await start(context, { portBase: options.portBase, show: talk });
  if (talk && fresh) out.write(`${upLine(status, true, out.color)}\n`);
  await prepared.packed?.upload(api);
  context.interrupted.throwIfAborted();
  // One key for this call: however often the request has to be repeated, it makes one run.
  const run = await api.createRun(prepared.body, randomUUID()).catch((error: unknown) => {
    throw inFile(error, options.workflow);
  });
  await rememberRun(context.home, { run: run.id, repository: prepared.packed?.root ?? null });
  return { api, run };
}

/** Shows what a submit would do. Nothing is uploaded, stored or started but the mesh itself. */
async function dryRun(context: CliContext, body: CreateRun, options: RunOptions): Promise<ExitCode> {
  const { out } = context;
  const talk = options.json !== true && options.quiet !== true;
  const { api } = await start(context, { portBase: options.portBase, show: talk });
  const preview = await api.preview(body).catch((error: unknown) => {
    throw inFile(error, options.workflow);
  });
  if (options.json === true) out.write(`${JSON.stringify({ preview })}\n`);
  else out.write(`${previewLines(preview, out.color).join('\n')}\n`);
  return EXIT.passed;
}

/** Says how to come back to a run that nobody waits for. */
export function detached(
  { out, self }: CliContext,
  created: RunView,
  options: { readonly json?: boolean; readonly quiet?: boolean },
): ExitCode {
  const paint = theme(out.color);
  const id = shortId(created.id);
  if (options.json === true) out.write(`${JSON.stringify({ run: created, exitCode: EXIT.passed, delivered: null })}\n`);
  else if (options.quiet === true) out.write(`${created.id}\n`);
  else
    out.write(
      `${paint.good('✔')} run ${created.id} is under way\n  ${paint.dim('follow')}  ${self} show ${id} --follow\n  ${paint.dim('cancel')}  ${self} cancel ${id}\n`,
    );
  return EXIT.passed;
}

export async function run(context: CliContext, given: string | undefined, options: RunOptions): Promise<ExitCode> {
  const task = await readTask(context, given);
  const prepared = await prepare(context, task, options);
  let submitted: Awaited<ReturnType<typeof submit>>;
  try {
    if (context.interrupted.aborted) return EXIT.cancelled;
    if (options.dryRun === true) return await dryRun(context, prepared.body, options);
    submitted = await submit(context, prepared, options);
  } finally {
    await prepared.packed?.dispose();
  }
  const { api, run: created } = submitted;
  if (options.detach === true) return detached(context, created, options);
  return watchRun(context, api, created, { ...options, stopHint: true });
}
