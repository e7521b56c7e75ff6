import { describe, expect, it } from 'vitest';
import { decideRetry, RetryBudget, type RetryLimits, type RetrySituation } from './retry-policy.js';

const limits: RetryLimits = {
  maxAttempts: 4,
  baseDelayMs: 100,
  maxDelayMs: 300,
  minAttemptMs: 20,
  maxRetryAfterMs: 1000,
};
const usual: RetrySituation = {
  attempts: 1,
  keyed: true,
  retryable: true,
  retryAfterMs: undefined,
  budgetLeft: true,
  now: 1000,
  deadlineAt: undefined,
  random: 0.5,
};

describe('decideRetry', () => {
  it.each<[string, Partial<RetrySituation>, ReturnType<typeof decideRetry>]>([
    ['tries again after half of the first bound', {}, { retry: true, delayMs: 50 }],
    ['has no smallest delay', { random: 0 }, { retry: true, delayMs: 0 }],
    ['doubles the bound', { attempts: 2 }, { retry: true, delayMs: 100 }],
    ['bounds the bound', { attempts: 3 }, { retry: true, delayMs: 150 }],
    ['stops after the last attempt', { attempts: 4 }, { retry: false, because: 'attempts' }],
    ['never repeats what has no key', { keyed: false }, { retry: false, because: 'not keyed' }],
    ['takes the callee at its word', { retryable: false }, { retry: false, because: 'not retryable' }],
    ['waits as long as it was asked to', { retryAfterMs: 700 }, { retry: true, delayMs: 700 }],
    ['takes the longer of both', { retryAfterMs: 10 }, { retry: true, delayMs: 50 }],
    ['does not wait for ever', { retryAfterMs: 1001 }, { retry: false, because: 'patience' }],
    ['stops when the budget is used up', { budgetLeft: false }, { retry: false, because: 'budget' }],
    ['fits the deadline exactly', { deadlineAt: 1070 }, { retry: true, delayMs: 50 }],
    ['does not start what cannot end in time', { deadlineAt: 1069 }, { retry: false, because: 'deadline' }],
    [
      'counts the asked wait against the deadline',
      { deadlineAt: 1500, retryAfterMs: 600 },
      { retry: false, because: 'deadline' },
    ],
  ])('%s', (_, change, decision) => {
    expect(decideRetry({ ...usual, ...change }, limits)).toEqual(decision);
  });
});

describe('RetryBudget', () => {
  it('lets a burst through, then a share of the calls', () => {
    const budget = new RetryBudget(0.5, 2);
    budget.spend();
    budget.spend();
    expect(budget.left).toBe(false);
    budget.earn();
    expect(budget.left).toBe(false);
    budget.earn();
    expect(budget.left).toBe(true);
  });

  it('saves no more than its reserve', () => {
    const budget = new RetryBudget(1, 2);
    for (let call = 0; call < 100; call++) budget.earn();
    budget.spend();
    budget.spend();
    expect(budget.left).toBe(false);
  });
});
