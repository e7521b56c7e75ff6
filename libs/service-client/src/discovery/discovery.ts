import type { InstanceId } from '@devmesh/contracts/ids';
import type { ServiceName } from '@devmesh/contracts/services';
import type { Instance } from '../http/instance-pool.js';

/** What a service says of itself when it joins. */
export interface SelfDescription {
  readonly service: ServiceName;
  readonly instance: InstanceId;
  /** Base URL under which others reach it. */
  readonly address: string;
  readonly version: string;
  /** The git revision that runs. */
  readonly revision: string;
}

/**
 * Where services are. Every adapter passes `discovery.conformance.ts`. Nothing here throws because a registry is gone: a dead
 * registry stops nobody.
 */
export interface Discovery {
  /** The instances believed to be well, at once and without asking anybody; empty for a service that nobody knows. */
  instances(service: ServiceName): readonly Instance[];
  /** Calls back with the instances that passed their checks, when that changes. Gives a function that ends it. */
  onChange(listener: (service: ServiceName, instances: readonly Instance[]) => void): () => void;
  /** Tells others that this service is here. Goes on trying when the registry can't be reached. */
  register(self: SelfDescription): Promise<void>;
  /** Tells others that it leaves. */
  deregister(): Promise<void>;
  /** Ends what runs in the background; what was known stays known. */
  close(): void;
}
