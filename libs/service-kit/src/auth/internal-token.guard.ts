import { timingSafeEqual } from 'node:crypto';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Request } from 'express';
import { PUBLIC } from './public.decorator.js';

/** Lets a request in that carries the mesh's internal token, or whose route is `@Public()`. */
export class InternalTokenGuard implements CanActivate {
  readonly #expected: Buffer;
  readonly #public = new WeakMap<object, boolean>();

  constructor(token: string) {
    this.#expected = Buffer.from(`Bearer ${token}`);
  }

  canActivate(context: ExecutionContext): true {
    if (this.#isPublic(context) || this.#accepts(context.switchToHttp().getRequest<Request>().headers.authorization)) {
      return true;
    }
    throw new DevmeshError(
      'unauthenticated',
      'this service is internal and wants "Authorization: Bearer <internal token>"; people and programs outside of the mesh use the gateway',
    );
  }

  #accepts(header: string | undefined): boolean {
    if (header === undefined) return false;
    const given = Buffer.from(header);
    // Only the length of the token, which is no secret, can be told from the time that this takes.
    return given.length === this.#expected.length && timingSafeEqual(given, this.#expected);
  }

  #isPublic(context: ExecutionContext): boolean {
    const handler = context.getHandler();
    const known = this.#public.get(handler);
    if (known !== undefined) return known;
    const marked = Boolean(
      Reflect.getMetadata(PUBLIC, handler) ?? Reflect.getMetadata(PUBLIC, context.getClass()) ?? false,
    );
    this.#public.set(handler, marked);
    return marked;
  }
}
