import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import type { ActionCatalogue } from '@devmesh/contracts/catalogue';
import { PlanRequest } from '@devmesh/contracts/orchestrator-api';
import { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { ZodBody, ZodParam } from '@devmesh/service-kit/validation/zod.decorators';
import { parseWorkflow } from '@devmesh/workflow/parse';
import { Inject } from '@nestjs/common';
import { z } from 'zod';
import { planTask } from './planner.js';
import { WorkflowLibrary } from './workflow-library.js';

export const CATALOGUE = Symbol('action catalogue');
const Source = z.object({ source: z.string() });

@Controller('v1')
export class PlanningController {
  constructor(
    private readonly library: WorkflowLibrary,
    @Inject(CATALOGUE) private readonly catalogue: ActionCatalogue,
  ) {}

  /** What a submit of the text would run, and why. */
  @Post('plan')
  @HttpCode(200)
  plan(@ZodBody(PlanRequest) body: z.output<typeof PlanRequest>) {
    return planTask(body.task, this.catalogue);
  }

  /** The workflow, or what is wrong with its source. */
  @Post('workflows/validate')
  @HttpCode(200)
  validate(@ZodBody(Source) body: z.output<typeof Source>) {
    return parseWorkflow(body.source, this.catalogue, this.library.sources);
  }

  @Get('workflows/:name')
  named(@ZodParam('name', WorkflowDefinition.shape.name) name: string): WorkflowDefinition {
    return this.library.shipped(name).definition;
  }

  /** The shipped workflows. */
  @Get('workflows')
  list() {
    const items = this.library.list().map(({ definition: { name, version, description, steps }, digest }) => ({
      name,
      version,
      description,
      digest,
      steps: steps.map(({ id, action, needs }) => ({ id, action, needs })),
    }));
    return { items };
  }
}
