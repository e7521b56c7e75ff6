import type { Logger } from '@devmesh/service-kit/logging/logger';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer, type AuthInfo, type McpHttpHandler } from '@modelcontextprotocol/server';
import type { Request, Response } from 'express';
import type { Caller } from '../api-keys/caller.js';
import { addResources } from './resources.js';
import { addTool, type Asker, type Tool } from './tool.js';
import type { RunReports } from './run-reports.js';

const INSTRUCTIONS = `Devmesh takes a task and a git repository and hands back a reviewed branch, findings and a report.
Submit a run, wait for it until it has ended or a person is asked, read its report. A verdict on an approval is a person's:
show what is asked, and decide only what a person has told you.`;

/**
 * The mesh for assistants: MCP over streamable HTTP, revision 2026-07-28 and those of 2025. Nothing is kept between two requests, so any
 * gateway may answer any of them.
 */
export class McpService {
  readonly #handler: McpHttpHandler;
  readonly #answer: ReturnType<typeof toNodeHandler>;

  constructor(version: string, tools: readonly Tool[], reports: RunReports, logger: Logger) {
    this.#handler = createMcpHandler(
      ({ authInfo }) => {
        const asker = askerOf(authInfo);
        const server = new McpServer({ name: 'devmesh', title: 'Devmesh', version }, { instructions: INSTRUCTIONS });
        for (const tool of tools) addTool(server, tool, asker, logger);
        addResources(server, reports, asker, logger);
        return server;
      },
      { onerror: (error) => logger.debug('MCP request refused', { detail: error.message }) },
    );
    this.#answer = toNodeHandler(this.#handler, {
      onerror: (error) => logger.error('MCP request failed', { error }),
    });
  }

  /** Answers one request whose body was read; what a tool refuses is part of the answer. */
  async answer(caller: Caller, request: Request, response: Response): Promise<void> {
    // The key stays outside: who is asking is all that the tools need.
    const auth: AuthInfo = { token: '', clientId: caller.keyId, scopes: [], extra: { caller } };
    await this.#answer(Object.assign(request, { auth }), response, request.body);
  }

  /** Ends what is under way; their clients ask again. */
  async onApplicationShutdown(): Promise<void> {
    await this.#handler.close();
  }
}

function askerOf(authInfo: AuthInfo | undefined): Asker {
  const caller = authInfo?.extra?.['caller'];
  if (caller === undefined) throw new Error('an MCP request got in without a caller');
  return { caller: caller as Caller };
}
