import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { InstanceId } from '@devmesh/contracts/ids';
import type { ServiceName } from '@devmesh/contracts/services';

/** Who this process is. `instance` names the incarnation: a restart at the same address is another one. */
export class ServiceIdentity {
  readonly name: ServiceName;
  readonly instance: InstanceId;
  readonly version: string;
  readonly revision: string;
  /** Unix ms. */
  readonly startedAt: number;

  constructor(of: {
    name: ServiceName;
    revision: string;
    instance?: InstanceId;
    version?: string;
    startedAt?: number;
  }) {
    this.name = of.name;
    this.instance = of.instance ?? `${of.name}-${randomBytes(9).toString('base64url')}`;
    this.version = of.version ?? productVersion();
    this.revision = of.revision;
    this.startedAt = of.startedAt ?? Date.now();
  }
}

/** All packages carry the product's version. */
function productVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
