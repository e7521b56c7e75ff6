import { Controller, HttpCode, Post } from '@nestjs/common';
import { ApiKeyCreate, ApiKeyVerify, type ApiKeyRecord } from '@devmesh/contracts/state-api';
import { ZodBody } from '@devmesh/service-kit/validation/zod.decorators';
import type { z } from 'zod';
import { ApiKeysService } from './api-keys.service.js';

@Controller('v1/api-keys')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Post()
  @HttpCode(200)
  create(@ZodBody(ApiKeyCreate) body: z.infer<typeof ApiKeyCreate>): Promise<ApiKeyRecord> {
    return this.keys.create(body);
  }

  /** The key that has this hash. */
  @Post('verify')
  @HttpCode(200)
  verify(@ZodBody(ApiKeyVerify) body: z.infer<typeof ApiKeyVerify>): Promise<ApiKeyRecord> {
    return this.keys.verify(body.hash);
  }
}
