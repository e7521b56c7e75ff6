import type { SystemLoad } from '@devmesh/contracts/system-status';
import { describe, expect, it } from 'vitest';
import { systemStatus, type ServiceSeen } from './status-rules.js';

const LIMITS = { activeRuns: 100, meanWaitMs: 5_000, oldestWaitMs: 30_000 };
const CALM: SystemLoad = { activeRuns: 0, queuedRuns: 0, pausedRuns: 0, meanWaitMs: 0, oldestWaitMs: 0 };
const up = (service: ServiceSeen['service'], breakers: ServiceSeen['breakers'] = {}): ServiceSeen => ({
  service,
  breakers,
});
const down = (service: ServiceSeen['service']): ServiceSeen => ({ service, breakers: null });

describe('the state of the mesh', () => {
  it('is healthy when no rule fires, with every figure at its limit', () => {
    const load = { ...CALM, ...LIMITS, queuedRuns: 1_000, pausedRuns: 1_000 };
    expect(systemStatus([up('gateway'), up('cicd')], load, LIMITS)).toEqual({
      state: 'healthy',
      rules: [],
      breakers: [],
      load,
    });
  });

  it.each([
    ['active_runs', { activeRuns: 101 }, 'degraded', 101, 100],
    ['mean_wait', { meanWaitMs: 5_001 }, 'degraded', 5_001, 5_000],
    ['oldest_wait', { oldestWaitMs: 30_001 }, 'unhealthy', 30_001, 30_000],
  ])('tells of %s with value and limit, just past it', (rule, more, state, value, limit) => {
    const status = systemStatus([up('gateway')], { ...CALM, ...more }, LIMITS);
    expect(status).toMatchObject({ state, rules: [{ rule, state, value, limit }] });
  });

  it('is degraded by an open breaker, and says whose and to whom', () => {
    const status = systemStatus([up('gateway'), up('orchestrator', { 'code-review': 'open' })], CALM, LIMITS);
    expect(status).toMatchObject({ state: 'degraded', rules: [{ rule: 'breaker_open' }] });
    expect(status.rules[0]?.says).toMatch(/^orchestrator .* code-review /);
  });

  it('lists every breaker, and is healthy with one that is half open', () => {
    const breakers = { cicd: 'half_open', 'code-review': 'closed' } as const;
    expect(systemStatus([up('gateway'), up('orchestrator', breakers)], CALM, LIMITS)).toMatchObject({
      state: 'healthy',
      rules: [],
      breakers: [
        { caller: 'orchestrator', callee: 'cicd', state: 'half_open' },
        { caller: 'orchestrator', callee: 'code-review', state: 'closed' },
      ],
    });
  });

  it('is degraded without an agent, and unhealthy without what every run needs', () => {
    expect(systemStatus([down('cicd')], CALM, LIMITS)).toMatchObject({
      state: 'degraded',
      rules: [{ rule: 'service_down', state: 'degraded' }],
    });
    expect(systemStatus([down('cicd'), down('state-persistence')], null, LIMITS)).toMatchObject({
      state: 'unhealthy',
      rules: [{ state: 'degraded' }, { state: 'unhealthy' }],
      load: null,
    });
  });

  it('is never healthy when nobody can say how much there is to do', () => {
    const status = systemStatus([up('gateway'), up('state-persistence')], null, LIMITS);
    expect(status).toMatchObject({ state: 'unhealthy', rules: [{ rule: 'service_down' }], load: null });
  });
});
