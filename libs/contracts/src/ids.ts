import { z } from 'zod';

/** Run id: UUIDv7, so that ids sort by time of creation. */
export const RunId = z.uuidv7();
export type RunId = z.infer<typeof RunId>;

const STEP_NAME = '[a-z0-9][a-z0-9_-]{0,63}';

/** The name of a step as people write it. */
export const StepName = z
  .string()
  .regex(
    new RegExp(`^${STEP_NAME}$`),
    'lower-case letters, digits, "-" and "_", at most 64, starting with a letter or digit',
  );
export type StepName = z.infer<typeof StepName>;

/**
 * Step id: names joined by dots; part of execution keys, paths and log lines. `build` is a step of the workflow, `build.test` a
 * step of the sub-workflow that `build` runs, `scan.3` the fourth item of a fan-out, `push.undo` the undo of `push`.
 */
export const StepId = z
  .string()
  .regex(new RegExp(`^${STEP_NAME}(\\.${STEP_NAME}){0,5}$`), 'names of steps, joined by dots')
  .max(160);
export type StepId = z.infer<typeof StepId>;

/** Agent name as in `SERVICES`, or that of an agent placed elsewhere. */
export const AgentName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'lower-case letters, digits and "-", at most 40');
export type AgentName = z.infer<typeof AgentName>;

/** Action id: `agent/action`, e.g. `code-review/review`. */
export const ActionId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}\/[a-z][a-z0-9_-]{0,39}$/, 'agent/action, e.g. code-review/review');
export type ActionId = z.infer<typeof ActionId>;

/** SHA-256 of content, 64 lower-case hex digits. */
export const Digest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in 64 lower-case hex digits');
export type Digest = z.infer<typeof Digest>;

/** Git object id: 40 (SHA-1) or 64 (SHA-256) hex digits. */
export const CommitId = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'a git object id');
export type CommitId = z.infer<typeof CommitId>;

/** Instance id: one incarnation of one service process. A restart at the same address is another instance. */
export const InstanceId = z.string().min(1).max(80);
export type InstanceId = z.infer<typeof InstanceId>;

/**
 * Execution key `run/step/iteration/attempt`: names one attempt of one step, and is the idempotency key of everything
 * that is done for it.
 */
export const ExecutionKey = z
  .string()
  .regex(
    new RegExp(`^[0-9a-f-]{36}/${STEP_NAME}(\\.${STEP_NAME}){0,5}/[1-9][0-9]{0,5}/[1-9][0-9]{0,5}$`),
    'run/step/iteration/attempt',
  );
export type ExecutionKey = z.infer<typeof ExecutionKey>;

export function executionKey(run: RunId, step: StepId, iteration: number, attempt: number): ExecutionKey {
  return `${run}/${step}/${iteration}/${attempt}`;
}

export interface ExecutionKeyParts {
  readonly runId: RunId;
  readonly step: StepId;
  readonly iteration: number;
  readonly attempt: number;
}

/** Splits a key that `ExecutionKey` has validated. */
export function parseExecutionKey(key: ExecutionKey): ExecutionKeyParts {
  const [runId = '', step = '', iteration = '0', attempt = '0'] = key.split('/');
  return { runId, step, iteration: Number(iteration), attempt: Number(attempt) };
}

/** Instants travel as RFC 3339 strings in public answers and as Unix milliseconds inside the engine. */
export const Timestamp = z.iso.datetime({ offset: true });
export type Timestamp = z.infer<typeof Timestamp>;
export const UnixMs = z.number().int().nonnegative();
export type UnixMs = z.infer<typeof UnixMs>;
