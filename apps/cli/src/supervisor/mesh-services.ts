import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DevmeshError } from '@devmesh/contracts/errors';
import { SERVICES, SERVICE_NAMES } from '@devmesh/contracts/services';

/** A process of the mesh, as data. */
export interface ServiceSpec {
  readonly name: string;
  readonly port: number;
  /** Arguments of node. */
  readonly args: readonly string[];
  /** Variables that this service alone gets. */
  readonly env: Readonly<Record<string, string>>;
  /** Talks to the database: on a first start it waits until there is one. */
  readonly needsDatabase: boolean;
}

/** Most of the heap, MB: what keeps nine services on a small machine honest. */
const HEAP_MB: Readonly<Record<string, number>> = { 'code-review': 768, 'rag-context': 768, 'state-persistence': 512 };
const DEFAULT_HEAP_MB = 384;

interface MeshFile {
  readonly services: readonly { readonly name: string; readonly entry: string; readonly needsDatabase?: boolean }[];
}

/**
 * The nine services of this clone, or those of the file that `DEVMESH_MESH_FILE` names: a mesh of other programs, for tests and
 * for trying the supervisor alone. Ports are `portBase` and its followers, in order.
 */
export function meshServices(clone: string, portBase: number, meshFile: string | undefined): ServiceSpec[] {
  if (meshFile !== undefined && meshFile !== '') {
    const { services } = JSON.parse(readFileSync(meshFile, 'utf8')) as MeshFile;
    return services.map(({ name, entry, needsDatabase }, i) => ({
      name,
      port: portBase + i,
      args: [entry],
      env: {},
      needsDatabase: needsDatabase ?? false,
    }));
  }
  const tracing = join(clone, 'libs/service-kit/dist/tracing/register.js');
  return SERVICE_NAMES.map((name) => {
    const entry = join(clone, 'apps', name, 'dist/main.js');
    if (!existsSync(entry)) {
      throw new DevmeshError(
        'unavailable',
        `${name} is not built (${entry} is missing): call ./devmesh, which builds, instead of its parts`,
      );
    }
    return {
      name,
      // The order of the list is the order of the ports, whatever the base.
      port: portBase + SERVICES[name].port - SERVICES.gateway.port,
      args: [
        `--max-old-space-size=${HEAP_MB[name] ?? DEFAULT_HEAP_MB}`,
        '--enable-source-maps',
        // A path with odd characters would not be taken for a module's name as it stands.
        ...(existsSync(tracing) ? ['--import', pathToFileURL(tracing).href] : []),
        entry,
      ],
      env: {},
      needsDatabase: name === 'state-persistence' || name === 'orchestrator',
    };
  });
}

/** What services inherit of the environment of whoever started the mesh; the rest may hold what is none of their business. */
const INHERITED =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TZ|LANG|LC_.*|TMPDIR|TMP|TEMP|https?_proxy|HTTPS?_PROXY|all_proxy|ALL_PROXY|no_proxy|NO_PROXY|SSL_CERT_FILE|SSL_CERT_DIR|NODE_EXTRA_CA_CERTS|SSH_AUTH_SOCK|OTEL_.*|LOG_LEVEL|CONSUL_.*|DEVMESH_.*)$/;
/** Secrets of one service, and what only the supervisor reads. */
const WITHHELD = /^DEVMESH_(QUEUE_DATABASE_URL|MESH_FILE|PORT)(_FILE)?$/;

export function inheritedEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => INHERITED.test(name) && !WITHHELD.test(name)));
}
