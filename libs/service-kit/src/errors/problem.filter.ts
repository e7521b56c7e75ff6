import { Catch, NotFoundException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { DevmeshError, type Problem } from '@devmesh/contracts/errors';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import type { Request, Response } from 'express';
import type { Logger } from '../logging/logger.js';
import { toDevmeshError } from './to-devmesh-error.js';

/** The methods that a path answers; none when it is unknown. */
export type AllowedMethods = (path: string) => readonly string[];

/** The edge: every error leaves a service here, as RFC 9457 problem details. No stack and no text of an unknown error does. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger: Logger;
  readonly #allowedMethods: AllowedMethods;

  constructor(logger: Logger, allowedMethods: AllowedMethods) {
    this.#logger = logger;
    this.#allowedMethods = allowedMethods;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const error = thrown instanceof NotFoundException ? this.#noRoute(request, response) : toDevmeshError(thrown);
    this.#log(request, error);
    if (response.headersSent) {
      // Part of an answer is out: breaking off is the only way left to say that it is not whole.
      response.destroy();
      return;
    }
    sendProblem(request, response, error);
  }

  /** Nest throws this for a path or a method that nobody answers; our own code throws `DevmeshError`. */
  #noRoute(request: Request, response: Response): DevmeshError {
    const methods = this.#allowedMethods(request.path);
    if (methods.length === 0) return new DevmeshError('not_found', `there is nothing at ${request.path}`);
    response.setHeader('allow', methods.join(', '));
    return new DevmeshError(
      'method_not_allowed',
      `${request.path} does not answer ${request.method}: it answers ${methods.join(', ')}`,
    );
  }

  #log(request: Request, error: DevmeshError): void {
    const fields = { method: request.method, path: request.path, code: error.code };
    if (error.code === 'internal') this.#logger.error('request failed', { ...fields, error: error.cause ?? error });
    else if (error.status >= 500) this.#logger.warn('request failed', { ...fields, detail: error.message });
    else this.#logger.debug('request refused', { ...fields, detail: error.message });
  }
}

/** Answers with a problem. For code that owns the response (streams, raw handlers); elsewhere throw. */
export function sendProblem(request: Request, response: Response, error: DevmeshError): void {
  const problem = toProblem(error, request.path);
  if (error.retryAfterMs !== undefined) response.setHeader('retry-after', Math.ceil(error.retryAfterMs / 1000));
  if (error.code === 'unauthenticated') response.setHeader('www-authenticate', 'Bearer');
  // A body that was not read makes the connection useless for the next request.
  if (!request.complete) response.setHeader('connection', 'close');
  response.status(problem.status).setHeader('content-type', 'application/problem+json');
  response.end(JSON.stringify(problem));
}

/** The body of an error answer. */
export function toProblem(error: DevmeshError, instance?: string): Problem {
  const span = trace.getActiveSpan()?.spanContext();
  return {
    type: `urn:devmesh:error:${error.code}`,
    title: error.code.replaceAll('_', ' '),
    status: error.status,
    detail: error.message,
    code: error.code,
    retryable: error.retryable,
    ...(instance === undefined ? {} : { instance }),
    ...(span !== undefined && isSpanContextValid(span) ? { traceId: span.traceId } : {}),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(error.issues.length === 0 ? {} : { errors: [...error.issues] }),
  };
}
