import { DevmeshError } from '@devmesh/contracts/errors';
import type { Request, RequestHandler, Response } from 'express';
import { withWorkContext } from '../context/request-context.js';
import type { Metrics } from '../metrics/metrics.js';

/** When the caller stops waiting: Unix ms. */
export const DEADLINE_HEADER = 'x-devmesh-deadline';

/** Parses the deadline header. Throws `invalid_request` for what is no instant; undefined when there is none. */
export function parseDeadline(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined;
  const value = typeof header === 'string' && /^\d{1,16}$/.test(header) ? Number(header) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new DevmeshError('invalid_request', `${DEADLINE_HEADER} must be one instant in Unix milliseconds`);
}

export interface RequestMiddlewareOptions {
  readonly metrics: Metrics;
  readonly now: () => number;
  /** Whether the service is shutting down: answers then ask the caller to let go of the connection. */
  readonly closing: () => boolean;
}

/** Counts and times every request, and gives its work the caller's deadline. One that has passed is refused before any work. */
export function requestMiddleware({ metrics, now, closing }: RequestMiddlewareOptions): RequestHandler {
  const seconds = metrics.histogram('http_request_duration_seconds');
  return (request, response, next) => {
    const started = performance.now();
    response.once('close', () => {
      const status = response.writableFinished ? String(response.statusCode) : 'aborted';
      seconds.observe(
        { method: request.method, route: routeOf(request), status },
        (performance.now() - started) / 1000,
      );
    });
    if (closing()) letGo(response);
    let deadlineAt: number | undefined;
    try {
      deadlineAt = parseDeadline(request.headers[DEADLINE_HEADER]);
      if (deadlineAt !== undefined && deadlineAt <= now()) {
        throw new DevmeshError('deadline_exceeded', 'the deadline had passed when the request arrived');
      }
    } catch (error) {
      next(error);
      return;
    }
    if (deadlineAt === undefined) next();
    else withWorkContext({ deadlineAt }, next);
  };
}

function letGo(response: Response): void {
  response.setHeader('connection', 'close');
}

/** The pattern of the route, never the path itself: paths hold ids, and a series per id would grow without bound. */
function routeOf(request: Request): string {
  const route = request.route as { path?: unknown } | undefined;
  return typeof route?.path === 'string' ? route.path : 'none';
}
