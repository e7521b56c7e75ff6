import { describe, expect, it } from 'vitest';
import { StatusService } from './status.service.js';

const LIMITS = { activeRuns: 100, meanWaitMs: 5_000, oldestWaitMs: 30_000 };

describe('StatusService', () => {
  it('asks every service, and shows each of their breakers', async () => {
    const asked: string[] = [];
    const service = new StatusService({
      breakersOf: async (name) => {
        asked.push(name);
        if (name === 'cicd') return null;
        return name === 'orchestrator' ? { 'code-review': 'open', cicd: 'half_open', gateway: 'closed' } : {};
      },
      load: async () => ({ activeRuns: 0, queuedRuns: 0, pausedRuns: 0, meanWaitMs: 0, oldestWaitMs: 0 }),
      limits: LIMITS,
    });
    const { state, rules, breakers } = await service.get();
    expect(asked).toHaveLength(9);
    expect([state, rules.map(({ rule }) => rule)]).toEqual(['degraded', ['service_down', 'breaker_open']]);
    expect(breakers.map(({ caller, callee, state: is }) => `${caller} > ${callee}: ${is}`)).toEqual([
      'orchestrator > code-review: open',
      'orchestrator > cicd: half_open',
      'orchestrator > gateway: closed',
    ]);
  });
});
