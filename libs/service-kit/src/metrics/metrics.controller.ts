import { Controller, Get, Res } from '@nestjs/common';
import type { Response } from 'express';
import { Public } from '../auth/public.decorator.js';
import { Metrics } from './metrics.js';

@Controller()
@Public()
export class MetricsController {
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  @Get('metrics')
  async read(@Res() response: Response): Promise<void> {
    const text = await this.#metrics.text();
    response.setHeader('content-type', this.#metrics.contentType);
    response.send(text);
  }
}
