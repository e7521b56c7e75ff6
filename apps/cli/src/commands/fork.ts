import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DevmeshError, parseOrThrow } from '@devmesh/contracts/errors';
import type { RunView } from '@devmesh/contracts/gateway-api';
import { JsonObject } from '@devmesh/contracts/json';
import type { CliContext, ExitCode } from '../context.js';
import { recallRun, rememberRun } from '../run/hand-over.js';
import { connect } from './mesh.js';
import { detached } from './run.js';
import { resolveRun } from './runs.js';
import { watchRun } from './watch.js';

export interface GoOnOptions {
  readonly from?: string;
  readonly input?: string;
  readonly at?: number;
  readonly detach?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** The members of `--input`, which is JSON, or names a file after an `@`. */
async function readInput(context: CliContext, given: string): Promise<JsonObject> {
  const file = given.startsWith('@') ? resolve(context.cwd, given.slice(1)) : null;
  let text = given;
  if (file !== null) {
    text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new DevmeshError('invalid_request', `the input file ${file} can't be read: check the path`, { cause });
    });
  }
  const what = file ?? '--input';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DevmeshError('invalid_request', `${what} is no JSON: give an object such as {"task": "smaller"}`, {
      cause,
    });
  }
  return parseOrThrow(JsonObject, value, what);
}

/** A new run that goes on from another one, watched like any other; its result goes where that of the other one would. */
export async function goOn(
  context: CliContext,
  kind: 'retry' | 'rerun' | 'fork',
  given: string,
  options: GoOnOptions,
): Promise<ExitCode> {
  const { api } = await connect(context);
  const from = options.from ?? '';
  const input = options.input === undefined ? {} : await readInput(context, options.input);
  const source = await resolveRun(api, given);
  const key = randomUUID();
  const make: Record<typeof kind, () => Promise<RunView>> = {
    retry: () => api.retry(source, key),
    rerun: () => api.rerun(source, { from }, key),
    fork: () => api.fork(source, { from, input, ...(options.at === undefined ? {} : { at: options.at }) }, key),
  };
  const run = await make[kind]();
  const known = await recallRun(context.home, source);
  await rememberRun(context.home, { run: run.id, repository: known?.repository ?? null });
  if (options.detach === true) return detached(context, run, options);
  return watchRun(context, api, run, { ...options, stopHint: true });
}
