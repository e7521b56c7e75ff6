import { EXECUTION_LEASE_MS, type ExecutionRequest } from '@devmesh/contracts/execution';
import type { DevmeshError, ErrorCode } from '@devmesh/contracts/errors';
import type { AgentName, ExecutionKey, InstanceId } from '@devmesh/contracts/ids';
import type { ServiceName } from '@devmesh/contracts/services';
import type { AgentPort, DispatchAnswer } from '@devmesh/engine/ports';
import type { AgentClient, Dispatched } from '@devmesh/service-client/agent.client';
import { stepSpan, withinEngineSpan } from '@devmesh/service-kit/tracing/engine-context';
import type { AgentRegistry } from './agent-registry.js';

/** Refusals that say something about the request itself: the same request would be refused again. */
const FOR_GOOD: ReadonlySet<ErrorCode> = new Set([
  'unknown_action',
  'invalid_input',
  'invalid_request',
  'payload_too_large',
  'conflict',
  'not_found',
]);
/** Nothing was started; another instance may take it. */
const TRY_ANOTHER: ReadonlySet<ErrorCode> = new Set(['unavailable', 'shutting_down', 'rate_limited']);

/** The engine's agent port over HTTP: finds the instance that the run recorded, and reads what its answer means. */
export class AgentDispatcher implements AgentPort {
  constructor(
    private readonly registry: AgentRegistry,
    private readonly client: (service: ServiceName) => AgentClient,
    private readonly now: () => number,
  ) {}

  instances(agent: AgentName): readonly InstanceId[] {
    return this.registry.instances(agent);
  }

  async execute(agent: AgentName, request: ExecutionRequest, waitMs: number): Promise<DispatchAnswer> {
    const place = this.registry.find(agent, request.instance);
    if (place === 'gone') return { kind: 'gone' };
    if (place === 'unknown') return { kind: 'unreachable' };
    const end = this.registry.begin(place.at);
    const dispatched = await withinEngineSpan(
      () => stepSpan(request.key),
      () => this.client(agent as ServiceName).execute(place.at, request, Math.ceil(waitMs / 1000)),
    );
    end(dispatched.kind === 'unreachable');
    return this.read(agent, place.at, request, dispatched);
  }

  private async read(
    agent: AgentName,
    address: string,
    request: ExecutionRequest,
    dispatched: Dispatched,
  ): Promise<DispatchAnswer> {
    switch (dispatched.kind) {
      case 'done':
        return { kind: 'outcome', outcome: dispatched.outcome };
      case 'accepted':
        return { kind: 'accepted', leaseUntil: dispatched.leaseUntil ?? this.now() + EXECUTION_LEASE_MS };
      case 'unreachable':
        void this.registry.ask(agent, address);
        return { kind: 'unreachable' };
      case 'refused':
        return this.refused(agent, address, request, dispatched.error);
    }
  }

  private async refused(
    agent: AgentName,
    address: string,
    request: ExecutionRequest,
    error: DevmeshError,
  ): Promise<DispatchAnswer> {
    if (error.code === 'stale_epoch') return { kind: 'stale' };
    if (error.code === 'execution_cancelled') return { kind: 'outcome', outcome: { kind: 'cancelled' } };
    if (error.code === 'claim_held') return { kind: 'held', retryAfterMs: error.retryAfterMs ?? 1000 };
    if (error.code === 'wrong_instance') {
      // The new incarnation must be known before the run looks for one.
      await this.registry.ask(agent, address);
      return { kind: 'gone' };
    }
    if (FOR_GOOD.has(error.code))
      return { kind: 'refused', error: { code: error.code, message: error.message.slice(0, 4000), retryable: false } };
    const others = this.registry.instances(agent).some((instance) => instance !== request.instance);
    return TRY_ANOTHER.has(error.code) && others ? { kind: 'gone' } : { kind: 'unreachable' };
  }

  async cancel(agent: AgentName, instance: InstanceId, key: ExecutionKey): Promise<boolean> {
    const place = this.registry.find(agent, instance);
    if (place === 'gone') return true;
    if (place === 'unknown') return false;
    return this.client(agent as ServiceName).cancel(place.at, key, { timeoutMs: 2_000 });
  }
}
