import { MAX_INPUT_BYTES, MAX_OUTPUT_BYTES, Verdict, type ActionContract } from '@devmesh/contracts/action';
import { DevmeshError, fieldIssues } from '@devmesh/contracts/errors';
import type { JsonObject } from '@devmesh/contracts/json';
import type { Outcome } from '@devmesh/contracts/outcome';
import { redactText } from '@devmesh/service-kit/logging/redact';
import type { z } from 'zod';
import { EffectLost } from '../effects/effects.js';

const MAX_MESSAGE = 4000;
/** Absolute paths of this machine tell nothing to whoever reads an outcome elsewhere. */
const MACHINE_PATH = /(?<![\w.:/])\/(?:[\w.@+-]+\/)+[\w.@+-]*/g;

export function failed(code: DevmeshError['code'], message: string, retryable = false): Outcome {
  return { kind: 'failed', error: { code, message: message.slice(0, MAX_MESSAGE), retryable } };
}

/** The outcome of an action that threw. Only an error of the mesh is worth telling; anything else is a bug whose text stays in the log. */
export function outcomeOfThrow(action: ActionContract, thrown: unknown): Outcome {
  if (thrown instanceof EffectLost) return { kind: 'lost', message: redactText(thrown.message).slice(0, MAX_MESSAGE) };
  if (thrown instanceof DevmeshError) {
    return failed(thrown.code, redactText(thrown.message).replace(MACHINE_PATH, '[path]'), thrown.retryable);
  }
  const kind = thrown instanceof Error ? thrown.name : typeof thrown;
  return failed('internal', `${action.id} ended with an unforeseen ${kind}; the log of the agent has it`);
}

/** The input as its schema gives it, or the outcome that says what is wrong with it. */
export function readInput<A extends ActionContract>(
  action: A,
  input: JsonObject,
): { value: z.output<A['input']> } | { outcome: Outcome } {
  const bytes = Buffer.byteLength(JSON.stringify(input));
  if (bytes > MAX_INPUT_BYTES) {
    const message = `the input of ${action.id} has ${bytes} bytes: at most ${MAX_INPUT_BYTES} are taken; pass what is larger as an artifact`;
    return { outcome: failed('invalid_input', message) };
  }
  const parsed = action.input.safeParse(input);
  if (parsed.success) return { value: parsed.data as z.output<A['input']> };
  return { outcome: failed('invalid_input', `the input of ${action.id} is not valid: ${issuesOf(parsed.error)}`) };
}

/** The outcome of an action that gave this output. */
export function outcomeOfOutput(action: ActionContract, output: unknown): Outcome {
  const parsed = action.output.safeParse(output);
  if (!parsed.success)
    return failed('internal', `${action.id} gave an output against its own contract: ${issuesOf(parsed.error)}`);
  const text = JSON.stringify(parsed.data);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_OUTPUT_BYTES) {
    const message = `the output of ${action.id} has ${bytes} bytes: at most ${MAX_OUTPUT_BYTES} are taken; what is larger must be an artifact`;
    return failed('output_too_large', message);
  }
  // As it will arrive: without members that JSON does not hold.
  const plain = JSON.parse(text) as JsonObject;
  const verdict = action.givesVerdict ? Verdict.safeParse(plain['verdict']) : undefined;
  return { kind: 'succeeded', output: plain, ...(verdict?.success === true ? { verdict: verdict.data } : {}) };
}

function issuesOf(error: z.ZodError): string {
  return fieldIssues(error)
    .slice(0, 5)
    .map((issue) => `${issue.pointer || '/'}: ${issue.message}`)
    .join('; ');
}
