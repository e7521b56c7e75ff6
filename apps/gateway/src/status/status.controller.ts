import { Controller, Get } from '@nestjs/common';
import { SystemStatus } from '@devmesh/contracts/system-status';
import { Reply } from '../http/reply.decorator.js';
import { StatusService } from './status.service.js';

@Controller('v1/status')
export class StatusController {
  constructor(private readonly status: StatusService) {}

  @Get()
  @Reply(SystemStatus)
  get(): Promise<SystemStatus> {
    return this.status.get();
  }
}
