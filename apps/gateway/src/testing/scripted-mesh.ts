import { createHash } from 'node:crypto';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { StoredEvent } from '@devmesh/contracts/event';
import type { RunRecord } from '@devmesh/contracts/state-api';
import { WORKFLOW, WORKFLOW_DIGEST } from './history.js';
import { KEY, OTHER_KEY, type TestGateway } from './test-gateway.js';

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

const PROJECTS = new Map([
  [sha256(KEY), 'alpha'],
  [sha256(OTHER_KEY), 'beta'],
]);

/** Scripts the two keys of the tests: `KEY` is of project alpha, `OTHER_KEY` of beta. */
export function scriptKeys({ state }: TestGateway): void {
  state.on('POST /v1/api-keys/verify', ({ json }) => {
    const { hash } = json as { hash: string };
    const projectId = PROJECTS.get(hash);
    if (projectId === undefined) throw new DevmeshError('not_found', 'no such key');
    return { id: `key-of-${projectId}`, projectId, name: 'ci', createdAt: '2026-01-01T00:00:00.000Z' };
  });
}

/** Scripts a run, its events and its workflow. */
export function scriptRun({ state }: TestGateway, run: RunRecord, events: readonly StoredEvent[]): void {
  state.on(`GET /v1/runs/${run.id}`, () => run);
  state.on(`GET /v1/workflows/${WORKFLOW_DIGEST}`, () => WORKFLOW);
  state.on(`GET /v1/runs/${run.id}/events`, ({ query }) => ({
    events: events.filter((event) => event.seq > Number(query.get('after'))),
    progress: [],
    ended: events.some((event) => event.event.type === 'RunEnded'),
  }));
}

/** Scripts an artifact store that verifies digests as the real one does. Gives what it holds. */
export function scriptStore({ state }: TestGateway, digests: readonly string[]): Map<string, Buffer> {
  const held = new Map<string, Buffer>();
  for (const digest of digests) {
    const path = `/v1/artifacts/${digest}`;
    state.on(`PUT ${path}`, ({ body }) => {
      const actual = sha256(body);
      if (actual !== digest) throw new DevmeshError('invalid_request', `the content is ${actual}, not ${digest}`);
      held.set(digest, body);
      return { digest, size: body.length };
    });
    for (const method of ['GET', 'HEAD']) {
      state.on(`${method} ${path}`, (_, response) => {
        const body = held.get(digest);
        if (body === undefined) throw new DevmeshError('not_found', `no artifact ${digest}`);
        response.setHeader('content-length', body.length);
        response.end(body);
      });
    }
  }
  return held;
}
