import { EXECUTION_LEASE_MS, type AgentInfo } from '@devmesh/contracts/execution';
import type { AgentName, InstanceId, UnixMs } from '@devmesh/contracts/ids';
import type { AgentList } from '@devmesh/contracts/orchestrator-api';

export interface RegistryPorts {
  /** Addresses where discovery knows the agent; a snapshot. */
  addresses(agent: AgentName): readonly string[];
  /** Who answers there. */
  info(agent: AgentName, address: string): Promise<AgentInfo>;
  now(): UnixMs;
}

interface Place {
  readonly agent: AgentName;
  readonly address: string;
  info: AgentInfo | undefined;
  healthy: boolean;
  /** Since when it has not answered; undefined while it does. */
  silentSince: UnixMs | undefined;
  outstanding: number;
  asking: Promise<void> | undefined;
}

/** Where to find an instance: its address, or that it is no more, or that nobody can tell. */
export type Whereabouts = { readonly at: string } | 'gone' | 'unknown';

/**
 * The instances of the agents: who answers at each address that discovery gives. An instance is an incarnation, so a restart at the
 * same address is found by asking again, at each refresh and whenever a dispatch there fails.
 */
export class AgentRegistry {
  private readonly places = new Map<string, Place>();
  private readonly lastSeen = new Map<InstanceId, UnixMs>();
  private asked = 0;

  constructor(
    private readonly agents: readonly AgentName[],
    private readonly ports: RegistryPorts,
  ) {}

  /** Asks everywhere; never rejects. */
  async refresh(): Promise<void> {
    for (const [address, place] of this.places) {
      if (!this.ports.addresses(place.agent).includes(address)) this.places.delete(address);
    }
    await Promise.all(
      this.agents.flatMap((agent) => this.ports.addresses(agent).map((address) => this.ask(agent, address))),
    );
  }

  /** Healthy instances, the one with the fewest dispatches under way first; equal ones take turns. */
  instances(agent: AgentName): InstanceId[] {
    const healthy = [...this.places.values()].filter((place) => place.agent === agent && place.healthy);
    // A step is given away before its dispatch counts: without turns, all that is submitted at once would go to one.
    const first = healthy.length === 0 ? 0 : ++this.asked % healthy.length;
    return [...healthy.slice(first), ...healthy.slice(0, first)]
      .toSorted((a, b) => a.outstanding - b.outstanding)
      .flatMap((place) => (place.info === undefined ? [] : [place.info.instance]));
  }

  /**
   * `gone` when another incarnation answers where it was, or when it has been out of reach for the length of an execution lease.
   */
  find(agent: AgentName, instance: InstanceId): Whereabouts {
    const places = [...this.places.values()].filter((place) => place.agent === agent);
    const place = places.find((each) => each.info?.instance === instance);
    const now = this.ports.now();
    if (place) {
      const silent = place.silentSince === undefined ? 0 : now - place.silentSince;
      return silent > EXECUTION_LEASE_MS ? 'gone' : { at: place.address };
    }
    if (places.length > 0 && places.every((each) => each.healthy)) return 'gone';
    // First asked about now: from now on its silence counts.
    const since = this.lastSeen.get(instance) ?? now;
    this.lastSeen.set(instance, since);
    return now - since > EXECUTION_LEASE_MS ? 'gone' : 'unknown';
  }

  /** Every instance wherever discovery knows an agent; undefined while one of these places is silent, or there are none. */
  present(): InstanceId[] | undefined {
    const places = [...this.places.values()];
    if (places.length === 0 || places.some((place) => !place.healthy)) return undefined;
    return places.flatMap((place) => place.info?.instance ?? []).toSorted();
  }

  /** Counts a dispatch as under way at the address; the answer ends it. `failed`: the connection broke. */
  begin(address: string): (failed: boolean) => void {
    const place = this.places.get(address);
    if (place) place.outstanding++;
    return (failed) => {
      if (!place) return;
      place.outstanding--;
      if (failed) this.silent(place);
    };
  }

  /** Asks the address again, because what it said last is out of date. */
  async ask(agent: AgentName, address: string): Promise<void> {
    const known = this.places.get(address);
    const place: Place = known ?? {
      agent,
      address,
      info: undefined,
      healthy: false,
      silentSince: undefined,
      outstanding: 0,
      asking: undefined,
    };
    if (!known) this.places.set(address, place);
    place.asking ??= this.ports
      .info(agent, address)
      .then((info) => {
        if (info.agent !== agent) return this.silent(place);
        if (place.info && place.info.instance !== info.instance) this.lastSeen.set(place.info.instance, 0);
        place.info = info;
        place.healthy = true;
        place.silentSince = undefined;
      })
      .catch(() => this.silent(place))
      .finally(() => (place.asking = undefined));
    await place.asking;
  }

  private silent(place: Place): void {
    place.healthy = false;
    place.silentSince ??= this.ports.now();
  }

  list(): AgentList['items'] {
    return this.agents.map((agent) => ({
      agent,
      instances: [...this.places.values()]
        .filter((place) => place.agent === agent)
        .flatMap((place) =>
          place.info === undefined ? [] : [{ ...place.info, address: place.address, healthy: place.healthy }],
        ),
    }));
  }
}
