import { Controller, Get, Res } from '@nestjs/common';
import { parseOrThrow } from '@devmesh/contracts/errors';
import { RunId } from '@devmesh/contracts/ids';
import { RunGraph, RunGraphQuery } from '@devmesh/contracts/run-graph';
import { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { ZodParam, ZodQuery } from '@devmesh/service-kit/validation/zod.decorators';
import { mermaid } from '@devmesh/workflow/diagram';
import type { Response } from 'express';
import type { z } from 'zod';
import { FromCaller } from '../api-keys/caller.decorator.js';
import type { Caller } from '../api-keys/caller.js';
import { GraphsService } from './graphs.service.js';

type Query = z.output<typeof RunGraphQuery>;

@Controller('v1')
export class GraphsController {
  constructor(private readonly graphs: GraphsService) {}

  @Get('runs/:runId/graph')
  async ofRun(
    @FromCaller() caller: Caller,
    @ZodParam('runId', RunId) runId: RunId,
    @ZodQuery(RunGraphQuery) query: Query,
    @Res() response: Response,
  ): Promise<void> {
    answer(response, query, await this.graphs.ofRun(caller, runId));
  }

  @Get('workflows/:name/graph')
  async ofWorkflow(
    @ZodParam('name', WorkflowDefinition.shape.name) name: string,
    @ZodQuery(RunGraphQuery) query: Query,
    @Res() response: Response,
  ): Promise<void> {
    answer(response, query, await this.graphs.ofWorkflow(name));
  }
}

function answer(response: Response, { format }: Query, graph: RunGraph): void {
  if (format === 'mermaid') response.type('text/plain').send(mermaid(graph));
  else response.json(parseOrThrow(RunGraph, graph, 'the answer', 'internal'));
}
