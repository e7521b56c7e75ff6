import { Controller, Delete, Get, HttpCode, Post } from '@nestjs/common';
import { CreateTrigger, TriggerCreated, TriggerList, TriggerView } from '@devmesh/contracts/trigger';
import { ZodBody, ZodParam } from '@devmesh/service-kit/validation/zod.decorators';
import { z } from 'zod';
import { FromCaller } from '../api-keys/caller.decorator.js';
import type { Caller } from '../api-keys/caller.js';
import { Reply } from '../http/reply.decorator.js';
import { TriggersService } from './triggers.service.js';

export const TriggerId = z.uuid();

@Controller('v1/triggers')
export class TriggersController {
  constructor(private readonly triggers: TriggersService) {}

  @Post()
  @HttpCode(200)
  @Reply(TriggerCreated)
  create(
    @FromCaller() caller: Caller,
    @ZodBody(CreateTrigger) body: z.output<typeof CreateTrigger>,
  ): Promise<TriggerCreated> {
    return this.triggers.create(caller, body);
  }

  @Get()
  @Reply(TriggerList)
  async list(@FromCaller() caller: Caller): Promise<z.infer<typeof TriggerList>> {
    return { items: await this.triggers.list(caller) };
  }

  @Get(':triggerId')
  @Reply(TriggerView)
  get(@FromCaller() caller: Caller, @ZodParam('triggerId', TriggerId) id: string): Promise<TriggerView> {
    return this.triggers.get(caller, id);
  }

  @Delete(':triggerId')
  @Reply(TriggerView)
  remove(@FromCaller() caller: Caller, @ZodParam('triggerId', TriggerId) id: string): Promise<TriggerView> {
    return this.triggers.remove(caller, id);
  }
}
