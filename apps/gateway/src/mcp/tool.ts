import { parseOrThrow, type DevmeshError } from '@devmesh/contracts/errors';
import { toProblem } from '@devmesh/service-kit/errors/problem.filter';
import { toDevmeshError } from '@devmesh/service-kit/errors/to-devmesh-error';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import type {
  CallToolResult,
  McpServer,
  ResourceLink,
  ServerContext,
  ToolAnnotations,
} from '@modelcontextprotocol/server';
import type { z } from 'zod';
import type { Caller } from '../api-keys/caller.js';

/** Who is asking, for one request. */
export interface Asker {
  readonly caller: Caller;
}

/** What a tool can do while it is at it. */
export interface Work extends Asker {
  /** Aborted when the client cancels the call or goes. */
  readonly signal: AbortSignal;
  /** Tells how it goes on, to a client that wants to hear of it. */
  readonly progress: (message: string) => Promise<void>;
}

/** One operation of the gateway as an assistant sees it: the schemas are those of the REST API. */
export interface ToolOf<Input extends z.ZodObject, Output extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  /** For the assistant: when to use it, and what to do next. */
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  readonly hints: ToolAnnotations;
  answer(input: z.output<Input>, work: Work): Promise<z.input<Output>>;
  /** Resources that the answer leads to. */
  links?(output: z.output<Output>): ResourceLink[];
}

export type Tool = ToolOf<z.ZodObject, z.ZodObject>;

/** A tool whose function is checked against its schemas. */
export function tool<Input extends z.ZodObject, Output extends z.ZodObject>(it: ToolOf<Input, Output>): Tool {
  return it as unknown as Tool;
}

/** A call that is refused, or fails, is an answer that the assistant can read; nothing of the inside is in it. */
export function addTool(server: McpServer, it: Tool, asker: Asker, logger: Logger): void {
  const { name, title, description, input, output, hints } = it;
  // The schemas of the answers are in the OpenAPI document: here they would be 43 KB more in front of every conversation.
  server.registerTool(
    name,
    { title, description, inputSchema: input, annotations: { openWorldHint: false, ...hints } },
    async (given, context): Promise<CallToolResult> => {
      try {
        const reply = parseOrThrow(output, await it.answer(given, workOf(asker, context)), 'the answer', 'internal');
        const links = it.links?.(reply) ?? [];
        return { content: [{ type: 'text', text: JSON.stringify(reply) }, ...links], structuredContent: reply };
      } catch (thrown) {
        const error = toDevmeshError(thrown);
        logRefusal(logger, name, error);
        return { isError: true, content: [{ type: 'text', text: JSON.stringify(toProblem(error)) }] };
      }
    },
  );
}

/** As the edge logs what it refuses. */
export function logRefusal(logger: Logger, what: string, error: DevmeshError): void {
  const fields = { mcp: what, code: error.code };
  if (error.code === 'internal') logger.error('request failed', { ...fields, error: error.cause ?? error });
  else logger.debug('request refused', { ...fields, detail: error.message });
}

function workOf(asker: Asker, { mcpReq }: ServerContext): Work {
  const token = mcpReq._meta?.progressToken;
  let told = 0;
  return {
    ...asker,
    signal: mcpReq.signal,
    progress: async (message) => {
      if (token === undefined) return;
      told += 1;
      const params = { progressToken: token, progress: told, message };
      await mcpReq.notify({ method: 'notifications/progress', params });
    },
  };
}
