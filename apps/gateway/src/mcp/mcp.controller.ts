import { Controller, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { FromCaller } from '../api-keys/caller.decorator.js';
import type { Caller } from '../api-keys/caller.js';
import { McpService } from './mcp.service.js';

/** There are no sessions to GET or DELETE: both are answered with 405. */
@Controller('mcp')
export class McpController {
  constructor(private readonly mcp: McpService) {}

  @Post()
  answer(@FromCaller() caller: Caller, @Req() request: Request, @Res() response: Response): Promise<void> {
    return this.mcp.answer(caller, request, response);
  }
}
