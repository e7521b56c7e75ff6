import { DevmeshError } from '@devmesh/contracts/errors';
import { isAxiosError } from 'axios';

/**
 * How a call broke without an answer. `refused`: no connection, so the callee has not seen the request. `timeout` and `broken`
 * say nothing about what the callee did. `aborted`: the caller gave up.
 */
export type TransportFailure = 'refused' | 'timeout' | 'broken' | 'aborted';

/** A call that ended without an answer of the service. An answer that says no is a plain `DevmeshError`. */
export class TransportError extends DevmeshError {
  readonly failure: TransportFailure;

  constructor(failure: TransportFailure, message: string, cause?: unknown) {
    super(failure === 'timeout' ? 'deadline_exceeded' : 'unavailable', message, {
      retryable: failure !== 'aborted',
      ...(cause === undefined ? {} : { cause }),
    });
    this.failure = failure;
  }
}

/** Codes of Node and undici that mean that no connection came about. */
const REFUSED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const TIMEOUT = new Set(['ECONNABORTED', 'ETIMEDOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

/** What a failed exchange means. `what` names the call for people. */
export function toTransportError(error: unknown, what: string, gaveUp: boolean): TransportError {
  const cause = causeOf(error);
  if (gaveUp) return new TransportError('aborted', `${what} was given up by its caller`, cause);
  const code = codeOf(error);
  if (code !== undefined && REFUSED.has(code)) {
    return new TransportError(
      'refused',
      `${what} found nobody listening (${code}): see whether the service is up`,
      cause,
    );
  }
  if (code !== undefined && TIMEOUT.has(code))
    return new TransportError('timeout', `${what} had no answer in time`, cause);
  return new TransportError(
    'broken',
    `${what} broke before its answer was complete (${code ?? 'unknown reason'})`,
    cause,
  );
}

/** What lies below axios: its own errors hold the request, with the token. */
function causeOf(error: unknown): unknown {
  return isAxiosError(error) ? error.cause : error;
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === 'string' && code !== 'ERR_NETWORK') return code;
  // An attempt on several addresses fails with all of their errors.
  if (Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  return cause === undefined ? undefined : codeOf(cause);
}
