import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { DevmeshError, parseOrThrow } from '@devmesh/contracts/errors';
import type { Request } from 'express';
import type { z } from 'zod';

function requestOf(context: ExecutionContext): Request {
  return context.switchToHttp().getRequest<Request>();
}

/** The JSON body, validated: `@ZodBody(CreateRun) body: z.output<typeof CreateRun>`. Throws `invalid_request` with the fields. */
export function ZodBody(schema: z.ZodType): ParameterDecorator {
  return createParamDecorator((_: unknown, context: ExecutionContext) => {
    const request = requestOf(context);
    if (request.body === undefined && hasBody(request)) {
      const type = request.headers['content-type'] ?? 'none';
      throw new DevmeshError('unsupported_media_type', `the content type is ${type}: send application/json`);
    }
    return parseOrThrow(schema, request.body ?? {}, 'the request body');
  })();
}

/** The query parameters, validated as one object. */
export function ZodQuery(schema: z.ZodType): ParameterDecorator {
  return createParamDecorator((_: unknown, context: ExecutionContext) =>
    parseOrThrow(schema, { ...requestOf(context).query }, 'the query'),
  )();
}

/** One path parameter, validated: `@ZodParam('runId', RunId) runId: RunId`. */
export function ZodParam(name: string, schema: z.ZodType): ParameterDecorator {
  return createParamDecorator((_: unknown, context: ExecutionContext) =>
    parseOrThrow(schema, requestOf(context).params[name], `${name} in the path`),
  )();
}

function hasBody(request: Request): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}
