import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AgentInfo, ExecutionReply, ExecutionRequest } from '@devmesh/contracts/execution';
import { parseExecutionKey } from '@devmesh/contracts/ids';

/*
 * The no-op agent of all contestants, as light as HTTP allows, so that what is measured is the engines: it speaks the agent contract,
 * answers `noop/act` at once and `noop/slow` after `ms`, joins by key, and counts how often the body of each step ran.
 */

const instance = randomUUID();
const info: AgentInfo = {
  agent: 'noop',
  instance,
  version: '0.0.0',
  revision: 'bench',
  startedAt: Date.now(),
  actions: ['noop/act', 'noop/slow'].map((id) => ({ id, title: id, effects: 'none', isDefault: id === 'noop/act' })),
};
const answers = new Map<string, Promise<string>>();
const bodies = new Map<string, number>();

function execute({ key, input }: ExecutionRequest): Promise<string> {
  const { runId, step } = parseExecutionKey(key);
  const name = `${runId}/${step}`;
  bodies.set(name, (bodies.get(name) ?? 0) + 1);
  const reply: ExecutionReply = {
    key,
    instance,
    outcome: { kind: 'succeeded', output: { by: 'agent' } },
    leaseUntil: null,
  };
  const ms = Number(input['ms'] ?? 0);
  const text = JSON.stringify(reply);
  return ms === 0 ? Promise.resolve(text) : new Promise((resolve) => setTimeout(resolve, ms, text));
}

const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  if (request.method !== 'POST') {
    const counts = [...bodies.values()];
    const runs = counts.reduce((sum, count) => sum + count, 0);
    response.end(JSON.stringify(request.url === '/bodies' ? { runs, steps: counts.length } : info));
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString()) as ExecutionRequest;
    for (const key of body.acknowledge) answers.delete(key);
    const answer = answers.get(body.key) ?? execute(body);
    answers.set(body.key, answer);
    void answer.then((text) => response.end(text));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env['PORT']), '127.0.0.1');
