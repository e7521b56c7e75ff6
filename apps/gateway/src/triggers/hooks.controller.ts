import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { DevmeshError } from '@devmesh/contracts/errors';
import { DeliveryReply } from '@devmesh/contracts/trigger';
import { Public } from '@devmesh/service-kit/auth/public.decorator';
import { ZodParam } from '@devmesh/service-kit/validation/zod.decorators';
import type { Request } from 'express';
import { Reply } from '../http/reply.decorator.js';
import { TriggerId } from './triggers.controller.js';
import { TriggersService } from './triggers.service.js';

/** Largest delivery, bytes. Forges send at most 25 MiB, and cut what is long before that; a push of this size is none to follow. */
const DELIVERY_BYTES = 5 * 1024 * 1024;

@Controller('v1/hooks')
@Public()
export class HooksController {
  constructor(private readonly triggers: TriggersService) {}

  /** A signed delivery; the signature is over the very bytes, so nothing parses them before. */
  @Post(':triggerId')
  @HttpCode(202)
  @Reply(DeliveryReply)
  async deliver(@ZodParam('triggerId', TriggerId) id: string, @Req() request: Request): Promise<DeliveryReply> {
    return this.triggers.deliver(id, { headers: request.headers, body: await bytesOf(request) });
  }
}

function bytesOf(request: Request): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const refuse = (): void => {
      request.off('data', take);
      // What still comes is read and forgotten: a sender that is cut off would not hear why.
      request.resume();
      reject(new DevmeshError('payload_too_large', `a delivery has at most ${DELIVERY_BYTES} bytes`));
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > DELIVERY_BYTES) refuse();
      else chunks.push(chunk);
    };
    request.on('data', take);
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', reject);
  });
}
