import type { BreakerState, FiredRule, SystemLoad, SystemStatus } from '@devmesh/contracts/system-status';
import type { ServiceName } from '@devmesh/contracts/services';

export interface StatusLimits {
  readonly activeRuns: number;
  readonly meanWaitMs: number;
  readonly oldestWaitMs: number;
}

/** What a service says of itself; null when it does not answer. */
export interface ServiceSeen {
  readonly service: ServiceName;
  /** By the service called. */
  readonly breakers: Readonly<Record<string, BreakerState>> | null;
}

/** Without these no run goes on; without another one, only steps of that agent wait. */
const NEEDED: readonly ServiceName[] = ['gateway', 'orchestrator', 'state-persistence'];

/** The state of the mesh by what was seen of it. A value at its limit is still well. */
export function systemStatus(
  services: readonly ServiceSeen[],
  load: SystemLoad | null,
  limits: StatusLimits,
): SystemStatus {
  const rules: FiredRule[] = [];
  const seen = services.flatMap(({ service: caller, breakers }) =>
    Object.entries(breakers ?? {}).map(([callee, state]) => ({ caller, callee, state })),
  );
  for (const { service, breakers } of services) {
    if (breakers === null) {
      const state = NEEDED.includes(service) ? 'unhealthy' : 'degraded';
      rules.push({
        rule: 'service_down',
        state,
        value: null,
        limit: null,
        says: `${service} does not answer: see its log`,
      });
    }
  }
  // One that is half open lets the next call through, which may not come for hours: nothing is held back.
  for (const { caller, callee } of seen.filter(({ state }) => state === 'open'))
    rules.push({
      rule: 'breaker_open',
      state: 'degraded',
      value: null,
      limit: null,
      says: `${caller} holds calls to ${callee} back, which failed again and again: see the log of ${callee}`,
    });
  if (load !== null) rules.push(...loadRules(load, limits));
  else if (!rules.some(({ state }) => state === 'unhealthy'))
    rules.push({
      rule: 'service_down',
      state: 'unhealthy',
      value: null,
      limit: null,
      says: 'state-persistence does not say how much there is to do: see its log',
    });
  const worst = rules.some(({ state }) => state === 'unhealthy') ? 'unhealthy' : 'degraded';
  return { state: rules.length === 0 ? 'healthy' : worst, rules, breakers: seen, load };
}

function loadRules(load: SystemLoad, limits: StatusLimits): FiredRule[] {
  const rules: FiredRule[] = [];
  if (load.activeRuns > limits.activeRuns)
    rules.push({
      rule: 'active_runs',
      state: 'degraded',
      value: load.activeRuns,
      limit: limits.activeRuns,
      says: `${load.activeRuns} runs are under way, more than ${limits.activeRuns}: new ones will be slow`,
    });
  if (load.meanWaitMs > limits.meanWaitMs)
    rules.push({
      rule: 'mean_wait',
      state: 'degraded',
      value: load.meanWaitMs,
      limit: limits.meanWaitMs,
      says: `runs wait ${seconds(load.meanWaitMs)} for their turn on average, more than ${seconds(limits.meanWaitMs)}: add an orchestrator, or look what keeps it busy`,
    });
  if (load.oldestWaitMs > limits.oldestWaitMs)
    rules.push({
      rule: 'oldest_wait',
      state: 'unhealthy',
      value: load.oldestWaitMs,
      limit: limits.oldestWaitMs,
      says: `a run has waited ${seconds(load.oldestWaitMs)} for its turn, more than ${seconds(limits.oldestWaitMs)}: nobody takes what is due; see the log of the orchestrator`,
    });
  return rules;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
