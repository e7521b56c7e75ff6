import { Controller, HttpCode, Post } from '@nestjs/common';
import { RunId } from '@devmesh/contracts/ids';
import { ExecuteReply, OrchestrateReply, OrchestrateRequest } from '@devmesh/contracts/orchestrator-api';
import { ZodBody, ZodParam } from '@devmesh/service-kit/validation/zod.decorators';
import type { z } from 'zod';
import { RunsService } from './runs.service.js';

/** A run in two strokes, for callers that look at the plan in between: a task is a run that is held until it is executed. */
@Controller()
export class TasksController {
  constructor(private readonly runs: RunsService) {}

  /** Plans a description; runs nothing yet. */
  @Post('orchestrate')
  @HttpCode(202)
  async orchestrate(@ZodBody(OrchestrateRequest) body: z.output<typeof OrchestrateRequest>): Promise<OrchestrateReply> {
    const { description, repository } = body;
    const request = {
      projectId: 'default',
      requestedBy: 'orchestrate',
      task: description,
      workflow: null,
      repository,
      idempotency: null,
    };
    return { task_id: (await this.runs.submit(request, true)).runId };
  }

  /** Runs it. */
  @Post('execute/:taskId')
  @HttpCode(202)
  async execute(@ZodParam('taskId', RunId) taskId: RunId): Promise<ExecuteReply> {
    return { task_id: taskId, run_id: taskId, status: await this.runs.execute(taskId) };
  }

  /** Wakes it when it is stuck. */
  @Post('resume/:taskId')
  @HttpCode(202)
  async resume(@ZodParam('taskId', RunId) taskId: RunId): Promise<ExecuteReply> {
    await this.runs.resume(taskId, 'the task API');
    return { task_id: taskId, run_id: taskId, status: 'running' };
  }
}
