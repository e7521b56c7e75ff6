import { z } from 'zod';

/**
 * Every way a service says no: the code (stable, documented, the same in every service), its HTTP status at the edge,
 * and whether the same request may succeed later. Domain code throws `DevmeshError`; only the edge knows HTTP.
 */
export const ERROR_CODES = {
  // the request
  invalid_request: { status: 400, retryable: false },
  invalid_workflow: { status: 422, retryable: false },
  invalid_input: { status: 422, retryable: false },
  invalid_repository: { status: 422, retryable: false },
  unknown_action: { status: 422, retryable: false },
  payload_too_large: { status: 413, retryable: false },
  unsupported_media_type: { status: 415, retryable: false },
  unauthenticated: { status: 401, retryable: false },
  forbidden: { status: 403, retryable: false },
  not_found: { status: 404, retryable: false },
  method_not_allowed: { status: 405, retryable: false },
  gone: { status: 410, retryable: false },
  conflict: { status: 409, retryable: false },
  approval_closed: { status: 409, retryable: false },
  approval_changed: { status: 409, retryable: false },
  idempotency_key_reused: { status: 422, retryable: false },
  rate_limited: { status: 429, retryable: true },
  // repositories by URL
  clone_failed: { status: 422, retryable: false },
  clone_timeout: { status: 422, retryable: true },
  // the engine
  stale_epoch: { status: 409, retryable: false },
  wrong_instance: { status: 409, retryable: false },
  execution_cancelled: { status: 409, retryable: false },
  claim_held: { status: 409, retryable: true },
  run_ended: { status: 409, retryable: false },
  // executions
  action_failed: { status: 500, retryable: false },
  bad_condition: { status: 422, retryable: false },
  bad_fan_out: { status: 422, retryable: false },
  approval_expired: { status: 409, retryable: false },
  approval_stale: { status: 409, retryable: false },
  effect_refused: { status: 409, retryable: false },
  output_too_large: { status: 500, retryable: false },
  patch_conflict: { status: 409, retryable: false },
  deadline_exceeded: { status: 504, retryable: true },
  // the mesh itself
  unavailable: { status: 503, retryable: true },
  circuit_open: { status: 503, retryable: true },
  shutting_down: { status: 503, retryable: true },
  storage_full: { status: 507, retryable: false },
  bad_reply: { status: 502, retryable: false },
  internal: { status: 500, retryable: false },
} as const satisfies Record<string, { status: number; retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;
export const ErrorCode = z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]);

/** One invalid field: a JSON pointer into the input and what is wrong with it. */
export const FieldIssue = z.object({ pointer: z.string(), message: z.string() });
export type FieldIssue = z.infer<typeof FieldIssue>;

/** RFC 9457 problem details, the body of every error answer (`application/problem+json`). */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: ErrorCode,
  retryable: z.boolean(),
  instance: z.string().optional(),
  traceId: z.string().optional(),
  retryAfterMs: z.number().int().nonnegative().optional(),
  errors: z.array(FieldIssue).optional(),
});
export type Problem = z.infer<typeof Problem>;

export interface DevmeshErrorOptions {
  /** Overrides the code's default. */
  readonly retryable?: boolean;
  /** How long to wait before a retry makes sense, in ms. */
  readonly retryAfterMs?: number;
  readonly issues?: readonly FieldIssue[];
  readonly cause?: unknown;
}

/** The one error class of the mesh. `message` names the culprit and the cure, and never holds a secret. */
export class DevmeshError extends Error {
  override readonly name = 'DevmeshError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly issues: readonly FieldIssue[];

  constructor(code: ErrorCode, message: string, options: DevmeshErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.issues = options.issues ?? [];
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }
}

/** Turns zod's issues into field issues with RFC 6901 pointers. */
export function fieldIssues(error: z.ZodError): FieldIssue[] {
  return error.issues.map((issue) => ({
    pointer: issue.path.map((part) => '/' + String(part).replaceAll('~', '~0').replaceAll('/', '~1')).join(''),
    message: issue.message,
  }));
}

/** Parses, or throws `code` with every issue's path in the message. `what` names the input, e.g. "request body". */
export function parseOrThrow<S extends z.ZodType>(
  schema: S,
  value: unknown,
  what: string,
  code: ErrorCode = 'invalid_request',
): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = fieldIssues(parsed.error);
  const shown = issues
    .slice(0, 5)
    .map((i) => `${i.pointer || '/'}: ${i.message}`)
    .join('; ');
  throw new DevmeshError(code, `${what} is not valid: ${shown}`, { issues });
}
