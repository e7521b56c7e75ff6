import { Controller, HttpCode, Post } from '@nestjs/common';
import { ImportRun } from '@devmesh/contracts/run-export';
import { ZodBody } from '@devmesh/service-kit/validation/zod.decorators';
import { ImportsService } from './imports.service.js';

@Controller('v1/runs/import')
export class ImportsController {
  constructor(private readonly imports: ImportsService) {}

  @Post()
  @HttpCode(200)
  import(@ZodBody(ImportRun) body: ImportRun): Promise<{ runId: string }> {
    return this.imports.import(body);
  }
}
