import type { ApprovalRecord } from '@devmesh/contracts/approval';
import type { EffectClaim, EffectRecord } from '@devmesh/contracts/effect';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StaticDiscovery } from './discovery/static.discovery.js';
import { MeshClients } from './mesh-clients.js';
import type { StateLedger } from './state-ledger.js';
import { json, problem, ScriptedServer } from './testing/scripted-server.js';

const RUN = '01900000-0000-7000-8000-000000000001';
const ID = '01900000-0000-7000-8000-0000000000aa';
const HASH = 'd'.repeat(64);
const AT = '2026-01-01T00:00:00.000Z';
const verdict = { verdict: 'approved', hash: HASH, by: 'ann', comment: 'fine' } as const;
const claim: EffectClaim = {
  key: `${RUN}/push/push/origin`,
  execution: `${RUN}/push/1/1`,
  instance: 'feature-dev@1',
  intent: { commit: 'c' },
  intentHash: HASH,
  leaseMs: 1000,
  approval: { id: ID, hash: HASH },
};
const result = {
  key: claim.key,
  execution: claim.execution,
  instance: claim.instance,
  outcome: 'done',
  result: { sha: 'c' },
} as const;
const approval: ApprovalRecord = {
  id: ID,
  runId: RUN,
  projectId: 'default',
  step: 'consent',
  iteration: 1,
  kind: 'consent',
  title: 'May it?',
  subject: { step: 'push' },
  hash: HASH,
  status: 'approved',
  requestedAt: AT,
  expiresAt: AT,
  escalateTo: [],
  escalatedAt: null,
  decidedAt: AT,
  decidedBy: 'ann',
  comment: 'fine',
};
const effect: EffectRecord = {
  key: claim.key,
  runId: RUN,
  step: 'push',
  kind: 'push',
  name: 'origin',
  status: 'done',
  intent: claim.intent,
  result: result.result,
  execution: claim.execution,
  approvalId: ID,
  claims: 1,
  claimedAt: AT,
  updatedAt: AT,
};

let server: ScriptedServer;
let clients: MeshClients;
let ledger: StateLedger;

beforeEach(async () => {
  server = await ScriptedServer.start((_, response) => problem(response, 500, 'internal'));
  clients = new MeshClients({
    discovery: new StaticDiscovery({ 'state-persistence': [server.url] }),
    internalToken: 'x',
    sleep: () => Promise.resolve(),
  });
  ledger = clients.state.ledger;
});
afterEach(async () => {
  await clients.close();
  await server.stop();
});

/** What was asked: `METHOD path`, and the body. */
const asked = (): [string, unknown][] =>
  server.received.map(({ method, path, body }) => [
    `${method} ${path}`,
    body.length === 0 ? null : (JSON.parse(body.toString()) as unknown),
  ]);

interface Call {
  readonly name: string;
  readonly ask: () => Promise<unknown>;
  readonly line: string;
  readonly body: unknown;
  readonly reply: unknown;
  /** What the caller gets. */
  readonly gives: unknown;
}

const page = { items: [approval], nextCursor: '2.y' };
const lapsed = { claim: 'lapsed', intent: { commit: 'b' }, previous: null };
const calls: readonly Call[] = [
  {
    name: 'a page of approvals',
    ask: () => ledger.approvals({ projectId: 'default', runId: RUN, status: 'open', limit: 2, cursor: '1.x' }),
    line: `GET /v1/approvals?projectId=default&runId=${RUN}&status=open&limit=2&cursor=1.x`,
    body: null,
    reply: page,
    gives: page,
  },
  {
    name: 'an approval',
    ask: () => ledger.approval(ID),
    line: `GET /v1/approvals/${ID}`,
    body: null,
    reply: approval,
    gives: approval,
  },
  {
    name: 'a verdict',
    ask: () => ledger.decide(ID, verdict),
    line: `POST /v1/approvals/${ID}/verdict`,
    body: verdict,
    reply: approval,
    gives: approval,
  },
  {
    name: 'a claim',
    ask: () => ledger.claimEffect(claim),
    line: 'POST /v1/effects/claim',
    body: claim,
    reply: lapsed,
    gives: lapsed,
  },
  {
    name: 'a result',
    ask: () => ledger.recordEffect(result),
    line: 'POST /v1/effects/result',
    body: result,
    reply: {},
    gives: undefined,
  },
  {
    name: 'the effects of a run',
    ask: () => ledger.effects(RUN),
    line: `GET /v1/runs/${RUN}/effects`,
    body: null,
    reply: { items: [effect] },
    gives: [effect],
  },
];

describe.each(calls)('StateLedger, $name', ({ ask, line, body, reply, gives }) => {
  it('is asked as the contract says, again when the answer was lost, and answered as it was', async () => {
    let attempts = 0;
    server.script((_, response) => {
      attempts += 1;
      if (attempts === 1) response.destroy();
      else json(response, reply);
    });
    await expect(ask()).resolves.toEqual(gives);
    expect(asked()).toEqual([
      [line, body],
      [line, body],
    ]);
  });
});

describe('StateLedger', () => {
  it.each(['approval_closed', 'approval_changed', 'not_found'] as const)(
    'throws the refusal of a verdict: %s',
    async (code) => {
      server.script((_, response) => problem(response, code === 'not_found' ? 404 : 409, code));
      await expect(ledger.decide(ID, verdict)).rejects.toMatchObject({ code, retryable: false });
      expect(server.received, 'and asks no second time').toHaveLength(1);
    },
  );

  it('throws when the claim was taken over', async () => {
    server.script((_, response) => problem(response, 409, 'conflict'));
    await expect(ledger.recordEffect(result)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('does not take an answer that is none for one', async () => {
    server.script((_, response) => json(response, { claim: 'perhaps' }));
    await expect(ledger.claimEffect(claim)).rejects.toMatchObject({ code: 'bad_reply' });
  });
});
