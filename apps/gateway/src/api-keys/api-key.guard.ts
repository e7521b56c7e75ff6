import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { PUBLIC } from '@devmesh/service-kit/auth/public.decorator';
import { jsonBody } from '@devmesh/service-kit/http/json-body';
import type { Request, RequestHandler, Response } from 'express';
import type { ApiKeyService } from './api-key.service.js';
import { setCaller } from './caller.js';

/** Wants an API key on every route that isn't `@Public()`, and only then takes a body in. */
export class ApiKeyGuard implements CanActivate {
  readonly #parse: RequestHandler;

  /** `bodyLimit`: largest JSON body, bytes. */
  constructor(
    private readonly keys: ApiKeyService,
    bodyLimit: number,
  ) {
    this.#parse = jsonBody(bodyLimit);
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (isPublic(context.getHandler()) || isPublic(context.getClass())) return true;
    const request = context.switchToHttp().getRequest<Request>();
    setCaller(request, await this.keys.authenticate(request.headers.authorization));
    await this.#takeBody(request, context.switchToHttp().getResponse<Response>());
    return true;
  }

  #takeBody(request: Request, response: Response): Promise<void> {
    return new Promise((resolve, reject) => {
      void this.#parse(request, response, (error?: unknown) => (error instanceof Error ? reject(error) : resolve()));
    });
  }
}

function isPublic(target: object): boolean {
  return Reflect.getMetadata(PUBLIC, target) === true;
}
