import type { Stack, StackComponent } from '@devmesh/contracts/stack';
import type { Dependency, Manifest } from './manifest.js';
import type { Route } from './routes.js';
import type { Ecosystem } from './services.js';
import type { EnvironmentVariable } from './usage.js';

/** A component with what its files say beyond the contract: what images, pipelines and documentation are made from. */
export interface ComponentReport {
  readonly component: StackComponent;
  readonly ecosystem: Ecosystem;
  readonly manifest: Manifest;
  /** Declared by the component, or by the workspace that it is a member of. */
  readonly dependencies: ReadonlyMap<string, Dependency>;
  /** Path of the lockfile that fixes its dependencies. */
  readonly lockfile: string | undefined;
  /** Folder of the workspace that it is a member of and is installed from. */
  readonly workspace: string | undefined;
  /** Exact version of the package manager, when the repository names one. */
  readonly packageManagerVersion: string | undefined;
  readonly environment: readonly EnvironmentVariable[];
  readonly routes: readonly Route[];
  /** A route without parameters that says whether the component is well. */
  readonly healthPath: string | undefined;
  /** Dockerfiles in the component's own folder. */
  readonly dockerfiles: readonly string[];
  /** `shop_worker.status:status_app`: where a Python application object is, and of what kind. */
  readonly application: { readonly module: string; readonly name: string; readonly kind: string } | undefined;
  readonly hasTests: boolean;
  /** Those of its services that its tests reach. */
  readonly testServices: readonly string[];
}

export interface StackReport {
  readonly stack: Stack;
  readonly components: readonly ComponentReport[];
  /** Dockerfiles anywhere in the tree. */
  readonly dockerfiles: readonly string[];
  /** What could not be read, for people. */
  readonly notices: readonly string[];
}
