import { randomUUID } from 'node:crypto';
import type { AppendOp, BatchOp, CreateOp } from '@devmesh/contracts/state-api';
import { expect, test } from 'vitest';
import { appendOp, createOp, newRunId, T0 } from '../testing/state.fixture.js';
import { waves } from './batch.service.js';
import { waveStatement } from './batch.sql.js';

const ended = { verdict: 'passed', reason: '' } as const;
const artifact = { digest: 'a'.repeat(64), name: 'n', mediaType: 'text/plain', size: 1, step: 's', iteration: 1 };
const request = {
  id: randomUUID(),
  kind: 'consent' as const,
  title: 't',
  subject: {},
  hash: 'd'.repeat(64),
  expiresAt: T0,
  remindAt: null,
  escalateAt: null,
  escalateTo: [],
};

const APPENDS: readonly Partial<AppendOp>[] = [
  {},
  { consume: ['1'] },
  { artifacts: [artifact] },
  { ifRead: true },
  { ended },
  { barred: [`${newRunId()}/s/1/1`] },
  { approvals: [{ step: 's', iteration: 1, request }] },
  { closedApprovals: [{ id: randomUUID(), status: 'expired' }] },
  { closedApprovals: [{ id: randomUUID(), status: 'escalated' }] },
  { closedApprovals: [{ id: randomUUID(), status: 'closed' }], ended },
  { closedApprovals: [{ id: randomUUID(), status: 'escalated' }], ended },
];
const CREATES: readonly (Partial<CreateOp> | null)[] = [null, {}, { maxConcurrent: 1 }, { artifacts: [artifact] }];

test('statements with one name have one text, whatever their waves hold', () => {
  const texts = new Map<string, string>();
  for (const create of CREATES)
    for (let chosen = 0; chosen < 2 ** APPENDS.length; chosen++) {
      const appends = APPENDS.filter((_, i) => (chosen & (2 ** i)) !== 0).map((over) => appendOp(newRunId(), 1, over));
      const creates = create === null ? [] : [createOp(create)];
      if (appends.length + creates.length === 0) continue;
      const { name, text } = waveStatement({ creates, acquires: [], appends }, T0);
      expect(texts.get(name) ?? text, name).toBe(text);
      texts.set(name, text);
    }
  // Each name is a statement that every connection prepares once.
  expect(texts.size).toBeGreaterThan(100);
  expect(texts.size).toBeLessThan(1000);
});

test('what may take a place and what may free one are never in one wave, and nothing else is kept apart', () => {
  const bounded = (name: string): BatchOp => createOp({ maxConcurrent: 1, workflow: { ...createOp().workflow, name } });
  const end = (): BatchOp => appendOp(newRunId(), 1, { ended });
  expect(waves([end(), bounded('a'), bounded('b'), end(), createOp(), appendOp(newRunId(), 1)])).toEqual([
    [0, 4, 5],
    [1, 2],
    [3],
  ]);
  expect(waves([end(), createOp(), end()])).toEqual([[0, 1, 2]]);
  expect(waves([bounded('a'), bounded('a'), end(), bounded('b')])).toEqual([[0], [1], [2], [3]]);
});
