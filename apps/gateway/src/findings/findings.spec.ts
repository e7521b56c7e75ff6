import { FindingPage, FindingRecord, RulePrecisionList } from '@devmesh/contracts/finding-fate';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { record, RUN } from '../testing/history.js';
import { scriptKeys, scriptRun } from '../testing/scripted-mesh.js';
import { OTHER_KEY, TestGateway } from '../testing/test-gateway.js';

const FINGERPRINT = 'f'.repeat(64);
const FINDING: FindingRecord = {
  fingerprint: FINGERPRINT,
  rule: 'some-rule',
  class: 'xss',
  severity: 'high',
  path: 'a.ts',
  fate: 'open',
  since: '2026-01-01T00:00:00.000Z',
  firstRunId: RUN,
  lastRunId: RUN,
  judgedBy: null,
  reason: null,
};

const gateway = new TestGateway();
let said: unknown;
beforeAll(() => gateway.start());
afterAll(() => gateway.close());
beforeEach(() => {
  said = undefined;
  scriptKeys(gateway);
  scriptRun(gateway, record(), []);
  gateway.state.on(`GET /v1/runs/${RUN}/findings`, () => ({ items: [FINDING] }));
  gateway.state.on(`POST /v1/runs/${RUN}/findings/${FINGERPRINT}/verdict`, ({ json }) => {
    said = json;
    return { ...FINDING, fate: 'rejected', judgedBy: 'ci', reason: 'no' };
  });
  gateway.state.on('GET /v1/findings/precision', ({ query }) => {
    said = query.get('projectId');
    return { items: [] };
  });
});
afterEach(() => gateway.endTest());

describe('findings', () => {
  const verdict = `/v1/runs/${RUN}/findings/${FINGERPRINT}/verdict`;

  it('are listed by run, and judged in the name of the key', async () => {
    const listed = await gateway.call(`/v1/runs/${RUN}/findings`);
    expect(FindingPage.parse(await listed.json()).items).toEqual([FINDING]);
    const judged = await gateway.post(verdict, { verdict: 'rejected', reason: 'no', by: 'somebody else' });
    expect(FindingRecord.parse(await judged.json())).toMatchObject({ fate: 'rejected', judgedBy: 'ci' });
    expect(said).toEqual({ verdict: 'rejected', reason: 'no', by: 'ci' });
  });

  it('are judged with a reason', async () => {
    expect((await gateway.post(verdict, { verdict: 'rejected', reason: '' })).status).toBe(400);
    expect(said).toBeUndefined();
  });

  it('of another project are not there', async () => {
    const headers = { authorization: `Bearer ${OTHER_KEY}` };
    expect((await gateway.call(`/v1/runs/${RUN}/findings`, { headers })).status).toBe(404);
    expect((await gateway.post(verdict, { verdict: 'rejected', reason: 'no' }, headers)).status).toBe(404);
    expect(said).toBeUndefined();
  });

  it('give the precision of rules of the own project', async () => {
    const response = await gateway.call('/v1/rules/precision');
    expect(RulePrecisionList.parse(await response.json())).toEqual({ items: [] });
    expect(said).toBe('alpha');
  });
});
