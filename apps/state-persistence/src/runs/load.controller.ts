import { Controller, Get } from '@nestjs/common';
import type { SystemLoad } from '@devmesh/contracts/system-status';
import { RunsService } from './runs.service.js';

@Controller('v1/load')
export class LoadController {
  constructor(private readonly runs: RunsService) {}

  @Get()
  get(): Promise<SystemLoad> {
    return this.runs.load();
  }
}
