import { DevmeshError, Problem } from '@devmesh/contracts/errors';
import type { z } from 'zod';

export interface RawReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** The value of a reply of success. Throws `bad_reply` when it isn't what the contract says. */
export function readValue<S extends z.ZodType>(schema: S, text: string, what: string): z.output<S> {
  let value: unknown;
  try {
    value = text === '' ? {} : JSON.parse(text);
  } catch {
    throw new DevmeshError(
      'bad_reply',
      `${what} was answered with something that is not JSON: the two may be of different versions`,
    );
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'the reply'}: ${issue.message}`)
    .join('; ');
  throw new DevmeshError(
    'bad_reply',
    `${what} was answered against its contract (${where}): the two may be of different versions`,
  );
}

/** The error that an answer stands for: the callee's code and word on retrying, when it gave a problem. */
export function readError({ status, headers, text }: RawReply, what: string): DevmeshError {
  const problem = parseProblem(text);
  const retryAfterMs = problem?.retryAfterMs ?? parseRetryAfter(headers['retry-after']);
  const patience = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (problem !== undefined) {
    return new DevmeshError(problem.code, problem.detail, {
      retryable: problem.retryable,
      ...patience,
      issues: problem.errors ?? [],
    });
  }
  // Not one of ours: a proxy between us, or a foreign agent.
  const passing = status === 502 || status === 503 || status === 504 || status === 429;
  return new DevmeshError(
    passing ? 'unavailable' : 'bad_reply',
    `${what} was answered ${status} without problem details`,
    { retryable: passing, ...patience },
  );
}

function parseProblem(text: string): Problem | undefined {
  try {
    const parsed = Problem.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds, as our services and most others send it; a date is ignored. */
function parseRetryAfter(header: unknown): number | undefined {
  return typeof header === 'string' && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
}
