import { Controller, Delete, Get, HttpCode, Post } from '@nestjs/common';
import {
  DueFiringsRequest,
  FiringResult,
  StoreFiring,
  StoreTrigger,
  type DueFirings,
  type FiringStored,
  type TriggerPage,
  type TriggerRecord,
} from '@devmesh/contracts/trigger';
import { ZodBody, ZodParam, ZodQuery } from '@devmesh/service-kit/validation/zod.decorators';
import { z } from 'zod';
import { TriggersService } from './triggers.service.js';

const Id = z.uuid();
const OfProject = z.object({ projectId: z.string().max(64) });

@Controller('v1/triggers')
export class TriggersController {
  constructor(private readonly triggers: TriggersService) {}

  @Post()
  @HttpCode(200)
  create(@ZodBody(StoreTrigger) body: StoreTrigger): Promise<TriggerRecord> {
    return this.triggers.create(body);
  }

  @Get()
  async list(@ZodQuery(OfProject) query: z.infer<typeof OfProject>): Promise<z.infer<typeof TriggerPage>> {
    return { items: await this.triggers.list(query.projectId) };
  }

  /** Firings that are to become runs now; each is the caller's for the length of the lease. */
  @Post('due')
  @HttpCode(200)
  due(@ZodBody(DueFiringsRequest) body: DueFiringsRequest): Promise<DueFirings> {
    return this.triggers.due(body);
  }

  @Get(':id')
  get(@ZodParam('id', Id) id: string): Promise<TriggerRecord> {
    return this.triggers.get(id);
  }

  @Delete(':id')
  async remove(@ZodParam('id', Id) id: string): Promise<object> {
    await this.triggers.remove(id);
    return {};
  }

  @Post(':id/firings')
  @HttpCode(200)
  async fire(
    @ZodParam('id', Id) id: string,
    @ZodBody(StoreFiring) body: StoreFiring,
  ): Promise<z.infer<typeof FiringStored>> {
    return { fresh: await this.triggers.addFiring(id, body) };
  }

  @Post(':id/settled')
  @HttpCode(200)
  async settled(@ZodParam('id', Id) id: string, @ZodBody(FiringResult) body: FiringResult): Promise<object> {
    await this.triggers.settle(id, body);
    return {};
  }
}
