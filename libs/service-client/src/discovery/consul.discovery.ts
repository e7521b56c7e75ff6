import type { ServiceName } from '@devmesh/contracts/services';
import Consul from 'consul';
import type { Instance } from '../http/instance-pool.js';
import type { Discovery, SelfDescription } from './discovery.js';

type Watch = ReturnType<Consul['watch']>;

export interface ConsulDiscoveryOptions {
  /** `host:port` or a URL. */
  readonly address: string;
  /** Asked for services that Consul has never named an instance of. */
  readonly behind: Discovery;
  readonly warn?: (message: string) => void;
  /** How long a blocking query waits, ms. */
  readonly waitMs?: number;
  /** How often the registration is repeated, ms: an agent that was restarted has forgotten it. */
  readonly registerEveryMs?: number;
}

const CHECK_INTERVAL = '1s';
/** The shortest that Consul takes. Until then a dead instance is only listed as critical, and nobody here asks for those. */
const FORGET_AFTER = '1m';
/** The first pause after a failed query, ms; each further one is twice the one before, up to the bound. */
const PAUSE_MS = 100;
/** So soon after an outage is known, at most, who came or went in it, ms. */
const MAX_PAUSE_MS = 2_000;

interface HealthEntry {
  readonly Node: { readonly Address: string };
  readonly Service: {
    readonly ID: string;
    readonly Address: string;
    readonly Port: number;
    readonly Meta?: Record<string, string> | null;
  };
}

/**
 * Discovery through Consul. One blocking query per service that was asked for keeps the instances that pass their checks. When
 * Consul can't be reached, the last answer stays good, and after that until it knows an instance again; a service that it has no
 * instance of is looked for in the static endpoints.
 */
export class ConsulDiscovery implements Discovery {
  readonly #consul: Consul;
  readonly #options: ConsulDiscoveryOptions;
  readonly #watches = new Map<ServiceName, Watch>();
  readonly #pauses = new Map<ServiceName, NodeJS.Timeout>();
  readonly #passing = new Map<ServiceName, readonly Instance[]>();
  readonly #listeners = new Set<(service: ServiceName, instances: readonly Instance[]) => void>();
  #self: SelfDescription | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #warned = false;

  constructor(options: ConsulDiscoveryOptions) {
    this.#options = options;
    const url = new URL(options.address.includes('://') ? options.address : `http://${options.address}`);
    this.#consul = new Consul({
      host: url.hostname,
      port: Number(url.port || 8500),
      secure: url.protocol === 'https:',
    });
  }

  instances(service: ServiceName): readonly Instance[] {
    if (!this.#watches.has(service) && !this.#closed) this.#watch(service);
    const passing = this.#passing.get(service);
    // Trying an address where nobody may be costs little.
    return passing === undefined || passing.length === 0 ? this.#options.behind.instances(service) : passing;
  }

  onChange(listener: (service: ServiceName, instances: readonly Instance[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async register(self: SelfDescription): Promise<void> {
    this.#self = self;
    this.#timer ??= setInterval(() => void this.#announce(), this.#options.registerEveryMs ?? 5_000).unref();
    await this.#announce();
  }

  async deregister(): Promise<void> {
    clearInterval(this.#timer);
    const self = this.#self;
    this.#self = undefined;
    if (self === undefined) return;
    try {
      await this.#consul.agent.service.deregister(self.instance);
    } catch (error) {
      this.#warn(`could not deregister from Consul; it notices by its check: ${text(error)}`);
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const watch of this.#watches.values()) watch.end();
    for (const pause of this.#pauses.values()) clearTimeout(pause);
    this.#watches.clear();
    this.#listeners.clear();
  }

  async #announce(): Promise<void> {
    const self = this.#self;
    if (self === undefined) return;
    const { hostname, port } = new URL(self.address);
    try {
      await this.#consul.agent.service.register({
        name: self.service,
        id: self.instance,
        address: hostname,
        port: Number(port),
        tags: [`version=${self.version}`, `revision=${self.revision}`],
        meta: {
          instance: self.instance,
          version: self.version,
          revision: self.revision,
          address: self.address,
        },
        // Usable at once: it registers when it listens.
        check: {
          name: 'ready',
          http: `${self.address}/health/ready`,
          interval: CHECK_INTERVAL,
          timeout: '500ms',
          deregistercriticalserviceafter: FORGET_AFTER,
          status: 'passing',
        },
      } as never);
      this.#warned = false;
    } catch (error) {
      this.#warn(`could not register with Consul at ${this.#options.address}, trying on: ${text(error)}`);
    }
  }

  /** `failed`: how many queries in a row did. */
  #watch(service: ServiceName, failed = 0): void {
    const watch = this.#consul.watch({
      // Called by the library as a method of `health`; it only wants to know which.
      // oxlint-disable-next-line typescript/unbound-method
      method: this.#consul.health.service,
      options: { service, passing: true, wait: `${this.#options.waitMs ?? 30_000}ms` } as never,
    });
    this.#watches.set(service, watch);
    let inARow = failed;
    // A Consul that came back with nothing learns within seconds who is there; until then the last answer is the best there is.
    let afterOutage = failed > 0;
    watch.on('change', (entries: readonly HealthEntry[]) => {
      this.#warned = false;
      inARow = 0;
      if (afterOutage && entries.length === 0) return;
      afterOutage = false;
      const instances = Object.freeze(entries.map(toInstance));
      this.#passing.set(service, instances);
      for (const listener of this.#listeners) listener(service, instances);
    });
    watch.on('error', (error: unknown) => {
      // Asked anew, from the beginning: a Consul that came back with nothing counts from one, and would answer a question for news since
      // a later number only when its wait is over.
      watch.end();
      const pause = Math.min(MAX_PAUSE_MS, PAUSE_MS * 2 ** inARow);
      this.#pauses.set(service, setTimeout(() => this.#watch(service, inARow + 1), pause).unref());
      this.#warn(
        `Consul at ${this.#options.address} does not answer; going on with what was last known: ${text(error)}`,
      );
    });
  }

  /** Once per outage: every query and registration fails in it. */
  #warn(message: string): void {
    if (!this.#warned) this.#options.warn?.(message);
    this.#warned = true;
  }
}

function toInstance({ Node, Service }: HealthEntry): Instance {
  const host = Service.Address || Node.Address;
  return {
    address: Service.Meta?.['address'] ?? `http://${host.includes(':') ? `[${host}]` : host}:${Service.Port}`,
    instance: Service.Meta?.['instance'] ?? Service.ID,
  };
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
