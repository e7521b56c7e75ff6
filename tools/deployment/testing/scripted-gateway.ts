import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { executionKey } from '@devmesh/contracts/ids';

export const RUN = '01a1fd99-07da-70b2-baf7-6aac802bf994';
const view = (status: string, verdict: string | null): unknown => ({
  id: RUN,
  projectId: 'default',
  workflow: 'review',
  workflowDigest: 'a'.repeat(64),
  task: '',
  status,
  verdict,
  reason: verdict === null ? null : 'because',
  priority: 0,
  queueReason: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  endedAt: null,
  repository: null,
  steps: [],
  plan: null,
  findings: null,
  result: null,
  report: null,
  sarif: null,
  costDollars: 0,
  turnFailures: 0,
  lastTurnError: null,
  lastSeq: 1,
});

export interface ScriptedGateway {
  readonly url: string;
  /** Method, path and authorization of each request. */
  readonly asked: readonly string[];
  stop(): void;
}

/** A scripted stand-in for a gateway: answers for one run in this order, and with `over` at these paths. */
export async function startScriptedGateway(
  states: readonly (readonly [string, string | null])[],
  over: Record<string, [number, unknown]> = {},
): Promise<ScriptedGateway> {
  const asked: string[] = [];
  const left = [...states];
  const events = { events: [], progress: [], ended: true };
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(`${request.method} ${path} ${request.headers.authorization ?? '-'}`);
    const looked = (): unknown => view(...(left.shift() ?? ['ended', 'failed']));
    const [status, body] = over[path] ?? [
      200,
      path.endsWith('/events') ? events : path === `/v1/runs/${RUN}` ? looked() : view('running', null),
    ];
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export const completed = (step: string): unknown => ({
  seq: 1,
  event: {
    type: 'StepCompleted',
    at: 1,
    step,
    key: executionKey(RUN, step, 1, 1),
    outcome: { kind: 'succeeded', output: {} },
  },
});
