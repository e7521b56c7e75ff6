import {
  applyDecorators,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { parseOrThrow } from '@devmesh/contracts/errors';
import { map, type Observable } from 'rxjs';
import type { z } from 'zod';

/** Sends what the schema says and nothing beside it: what other services add to their answers stays inside. */
class ReplyInterceptor implements NestInterceptor {
  constructor(private readonly schema: z.ZodType) {}

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((reply: unknown) => parseOrThrow(this.schema, reply, 'the answer', 'internal')));
  }
}

/** The JSON body that a route answers, validated on its way out. */
export function Reply(schema: z.ZodType): MethodDecorator {
  return applyDecorators(UseInterceptors(new ReplyInterceptor(schema)));
}
