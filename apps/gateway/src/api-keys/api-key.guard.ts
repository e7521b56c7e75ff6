import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { PUBLIC } from '@devmesh/service-kit/auth/public.decorator';
import type { Request } from 'express';
import type { ApiKeyService } from './api-key.service.js';
import { setCaller } from './caller.js';

/** Wants an API key on every route that isn't `@Public()`. */
export class ApiKeyGuard implements CanActivate {
  constructor(private readonly keys: ApiKeyService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (isPublic(context.getHandler()) || isPublic(context.getClass())) return true;
    const request = context.switchToHttp().getRequest<Request>();
    setCaller(request, await this.keys.authenticate(request.headers.authorization));
    return true;
  }
}

function isPublic(target: object): boolean {
  return Reflect.getMetadata(PUBLIC, target) === true;
}
