import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DevmeshError } from '@devmesh/contracts/errors';
import { DEFAULT_INSPECTOR_BASE, SERVICES, SERVICE_NAMES } from '@devmesh/contracts/services';

/** A process of the mesh, as data. */
export interface ServiceSpec {
  /** Of the process: that of its service, with a number behind it for a second instance and those after. */
  readonly name: string;
  readonly service: string;
  readonly port: number;
  /** Arguments of node. */
  readonly args: readonly string[];
  /** Variables that this service alone gets. */
  readonly env: Readonly<Record<string, string>>;
  /** Talks to the database: on a first start it waits until there is one. */
  readonly needsDatabase: boolean;
  /** Where a debugger may attach, on 127.0.0.1 alone; undefined: nowhere. */
  readonly inspectorPort?: number;
}

interface MeshFile {
  readonly services: readonly { readonly name: string; readonly entry: string; readonly needsDatabase?: boolean }[];
}

/**
 * The nine services of this clone, or those of the file that `DEVMESH_MESH_FILE` names: a mesh of other programs, for tests and
 * for trying the supervisor alone. Ports are `portBase` and its followers, in order; those of second instances come last.
 */
export function meshServices(
  clone: string,
  portBase: number,
  meshFile: string | undefined,
  instances: Instances = new Map(),
): ServiceSpec[] {
  if (meshFile !== undefined && meshFile !== '') {
    const { services } = JSON.parse(readFileSync(meshFile, 'utf8')) as MeshFile;
    return services.map(({ name, entry, needsDatabase }, i) => ({
      name,
      service: name,
      port: portBase + i,
      args: [entry],
      env: {},
      needsDatabase: needsDatabase ?? false,
    }));
  }
  const tracing = join(clone, 'libs/service-kit/dist/tracing/register.js');
  const first = SERVICE_NAMES.map((name): ServiceSpec => {
    const entry = join(clone, 'apps', name, 'dist/main.js');
    if (!existsSync(entry)) {
      throw new DevmeshError(
        'unavailable',
        `${name} is not built (${entry} is missing): call ./devmesh, which builds, instead of its parts`,
      );
    }
    return {
      name,
      service: name,
      // The order of the list is the order of the ports, whatever the base.
      port: portBase + SERVICES[name].port - SERVICES.gateway.port,
      args: [
        `--max-old-space-size=${SERVICES[name].heapMb}`,
        '--enable-source-maps',
        // A path with odd characters would not be taken for a module's name as it stands.
        ...(existsSync(tracing) ? ['--import', pathToFileURL(tracing).href] : []),
        entry,
      ],
      env: {},
      needsDatabase: name === 'state-persistence' || name === 'orchestrator',
    };
  });
  const further = first.flatMap((spec) =>
    Array.from({ length: (instances.get(spec.service) ?? 1) - 1 }, (_, i) => ({
      ...spec,
      name: `${spec.name}-${i + 2}`,
      // It resumes the runs of its own name, so no other may have it.
      env: spec.service === 'orchestrator' ? { DEVMESH_ORCHESTRATOR_NAME: `orchestrator-${i + 2}` } : {},
    })),
  );
  return [...first, ...further.map((spec, i) => ({ ...spec, port: portBase + first.length + i }))];
}

/** The same processes, each with an inspector: at `base` and its followers, in their order. */
export function withInspectors(specs: readonly ServiceSpec[], base: number): ServiceSpec[] {
  return specs.map((spec, i) => ({
    ...spec,
    // Whoever reaches it runs code in the service, whatever address the mesh listens on.
    args: [`--inspect=127.0.0.1:${base + i}`, ...spec.args],
    inspectorPort: base + i,
  }));
}

/** Reads the first of the inspector ports. Throws `invalid_request` for what is no port, or has not enough of them behind it. */
export function parseInspectorBase(text: string): number {
  const base = Number(text);
  const most = 65_535 - SERVICE_NAMES.length * MOST_INSTANCES;
  if (!/^\d+$/.test(text.trim()) || base < 1024 || base > most) {
    throw new DevmeshError(
      'invalid_request',
      `--inspect "${text}": the first of the inspector ports is a number from 1024 to ${most}, as in --inspect ${DEFAULT_INSPECTOR_BASE}`,
    );
  }
  return base;
}

/** How many processes of a service; one where it says nothing. */
export type Instances = ReadonlyMap<string, number>;

const MOST_INSTANCES = 8;

/** Reads `code-review=2,feature-dev=3`. Throws `invalid_request` for what is no service, or one that has no second instance. */
export function parseInstances(text: string): Instances {
  const parts = text.split(',').filter((part) => part.trim() !== '');
  return new Map(
    parts.map((part) => {
      const [service = '', count = ''] = part.split('=').map((side) => side.trim());
      const known = SERVICE_NAMES.find((name) => name === service);
      // Clients know one address, and uploads are known to the process that took them.
      if (known === undefined || known === 'gateway') {
        const names = SERVICE_NAMES.filter((name) => name !== 'gateway').join(', ');
        throw new DevmeshError('invalid_request', `--instances "${part}": the service is one of ${names}`);
      }
      if (!/^[1-9]\d*$/.test(count) || Number(count) > MOST_INSTANCES) {
        throw new DevmeshError(
          'invalid_request',
          `--instances "${part}": how many is a number from 1 to ${MOST_INSTANCES}, as in ${known}=2`,
        );
      }
      return [known, Number(count)];
    }),
  );
}

/** What services inherit of the environment of whoever started the mesh; the rest may hold what is none of their business. */
const INHERITED =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TZ|LANG|LC_.*|TMPDIR|TMP|TEMP|https?_proxy|HTTPS?_PROXY|all_proxy|ALL_PROXY|no_proxy|NO_PROXY|SSL_CERT_FILE|SSL_CERT_DIR|NODE_EXTRA_CA_CERTS|SSH_AUTH_SOCK|OTEL_.*|LOG_LEVEL|CONSUL_.*|DEVMESH_.*)$/;
/** Secrets of one service, and what only the supervisor reads. */
const WITHHELD = /^DEVMESH_(QUEUE_DATABASE_URL|QUEUE_REDIS_URL|MESH_FILE|PORT|INSPECT|BACKUP_.*)(_FILE)?$/;

export function inheritedEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => INHERITED.test(name) && !WITHHELD.test(name)));
}

/** Where backups go, and the credentials for it: for the service that makes them. */
export function backupEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('DEVMESH_BACKUP_')));
}
