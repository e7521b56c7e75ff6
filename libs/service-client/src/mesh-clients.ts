import { SERVICE_NAMES, type ServiceName } from '@devmesh/contracts/services';
import type { BreakerState } from '@devmesh/contracts/system-status';
import { AgentClient } from './agent.client.js';
import type { Discovery } from './discovery/discovery.js';
import { Breaker, BREAKER_DEFAULTS, type BreakerLimits } from './http/breaker.js';
import { Bulkhead, type BulkheadLimits } from './http/bulkhead.js';
import { createHttpClient, sleep, type HttpClient } from './http/http-client.js';
import { InstancePool, type Instance } from './http/instance-pool.js';
import { RetryBudget, type RetryLimits } from './http/retry-policy.js';
import { ServiceCaller, type CallObservation } from './http/service-caller.js';
import { OrchestratorClient } from './orchestrator.client.js';
import { StateClient } from './state.client.js';

export interface MeshClientsOptions {
  readonly discovery: Discovery;
  /** Sent as `Authorization: Bearer …`. */
  readonly internalToken: string;
  /** Laid over what every mesh has. */
  readonly breakers?: Readonly<Partial<Record<ServiceName | 'default', BreakerLimits | undefined>>>;
  readonly bulkhead?: BulkheadLimits;
  readonly retries?: RetryLimits;
  /** Deadline of the work under way, Unix ms. */
  readonly deadline?: () => number | undefined;
  readonly observe?: (call: CallObservation) => void;
  readonly http?: HttpClient;
  readonly now?: () => number;
  readonly random?: () => number;
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

const BULKHEAD: BulkheadLimits = { concurrent: 128, waiting: 1024 };

/** The clients of the mesh's services, as one process has them: shared connections, a breaker and a bulkhead per service. */
export class MeshClients {
  readonly discovery: Discovery;
  readonly state: StateClient;
  readonly orchestrator: OrchestratorClient;
  readonly #options: MeshClientsOptions;
  readonly #http: HttpClient;
  readonly #callers = new Map<ServiceName, ServiceCaller>();
  readonly #breakers = new Map<ServiceName, Breaker>();
  readonly #agents = new Map<ServiceName, AgentClient>();
  readonly #pools = new Map<ServiceName, InstancePool>();

  constructor(options: MeshClientsOptions) {
    this.#options = options;
    this.discovery = options.discovery;
    this.#http = options.http ?? createHttpClient();
    this.discovery.onChange((service, instances) => {
      this.#pools.get(service)?.passing(instances.map((instance) => instance.address));
    });
    this.state = new StateClient(this.caller('state-persistence'));
    this.orchestrator = new OrchestratorClient(this.caller('orchestrator'));
  }

  /** The client of one agent. */
  agent(service: ServiceName): AgentClient {
    let client = this.#agents.get(service);
    if (client === undefined) {
      client = new AgentClient(this.caller(service));
      this.#agents.set(service, client);
    }
    return client;
  }

  instances(service: ServiceName): readonly Instance[] {
    return this.discovery.instances(service);
  }

  /** Of the services that this process calls. */
  breakerStates(): Partial<Record<ServiceName, BreakerState>> {
    const known = SERVICE_NAMES.filter((service) => this.#breakers.has(service));
    return Object.fromEntries(known.map((service) => [service, this.#breakers.get(service)?.state]));
  }

  caller(service: ServiceName): ServiceCaller {
    const known = this.#callers.get(service);
    if (known !== undefined) return known;
    const { breakers = {}, now = Date.now, random = Math.random } = this.#options;
    const limits = breakers[service] ?? BREAKER_DEFAULTS[service] ?? breakers.default ?? BREAKER_DEFAULTS.default;
    const breaker = new Breaker(service, limits, now);
    const pool = new InstancePool(now);
    const caller = new ServiceCaller({
      service,
      http: this.#http.http,
      instances: () => this.discovery.instances(service),
      pool,
      breaker,
      bulkhead: new Bulkhead(service, this.#options.bulkhead ?? BULKHEAD),
      budget: new RetryBudget(),
      ...(this.#options.retries === undefined ? {} : { limits: this.#options.retries }),
      authorization: `Bearer ${this.#options.internalToken}`,
      deadline: this.#options.deadline ?? (() => undefined),
      now,
      random,
      sleep: this.#options.sleep ?? sleep,
      observe: this.#options.observe,
    });
    this.#callers.set(service, caller);
    this.#breakers.set(service, breaker);
    this.#pools.set(service, pool);
    return caller;
  }

  async close(): Promise<void> {
    this.discovery.close();
    for (const breaker of this.#breakers.values()) breaker.close();
    await this.#http.close();
  }
}
