import type { ComponentReport } from '@devmesh/analysis/stack/component-report';
import { GENERATED_MARK } from '@devmesh/analysis/stack/containers';
import { inFolder, relativeTo } from '@devmesh/analysis/stack/manifest';
import type { EnvironmentVariable } from '@devmesh/analysis/stack/usage';
import { stringify } from 'yaml';
import { connectionValue, serviceRun } from './service-runs.js';

export const COMPOSE_NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];

/** A component with an image, there already or written now. */
export interface BuiltComponent {
  readonly report: ComponentReport;
  readonly dockerfile: string;
  readonly context: string;
  readonly port: string | undefined;
}

export interface Named extends BuiltComponent {
  readonly name: string;
  readonly hostPort: string | undefined;
}

type Service = Record<string, unknown>;

const SECRET_NAME = /SECRET|TOKEN|PASS(WORD)?$|API_?KEY|PRIVATE_KEY|CREDENTIAL/;
const LISTEN_NAME = /^(HOST|BIND(_HOST|_ADDRESS)?|LISTEN(_HOST|_ADDRESS)?|SERVER_HOST|HTTP_HOST)$/;

/** The compose file of these components and the services that their code uses; undefined when there is nothing to run. */
export function composeFile(built: readonly BuiltComponent[]): string | undefined {
  if (built.length === 0) return undefined;
  const used = [...new Set(built.flatMap(({ report }) => report.component.services.map(({ value }) => value)))]
    .filter((service) => serviceRun(service))
    .sort();
  const named = nameAll(built, used);
  const services: Record<string, Service> = {};
  for (const component of named) services[component.name] = componentService(component, named, used);
  for (const service of used) services[service] = backingService(service);
  const volumes = used.filter((service) => serviceRun(service)?.data !== undefined);
  const file = {
    services,
    ...(volumes.length > 0 ? { volumes: Object.fromEntries(volumes.map((service) => [`${service}-data`, {}])) } : {}),
  };
  return [
    `# ${GENERATED_MARK}. Yours to change: it is never written over.`,
    '# Values marked with :? come from the environment or from a file .env beside this one, which belongs in no repository.',
    stringify(file, { lineWidth: 0, aliasDuplicateObjects: false }),
  ].join('\n');
}

/** Names by folder where they are unlike, and host ports that don't collide. */
export function nameAll(built: readonly BuiltComponent[], taken: readonly string[]): Named[] {
  const names = new Set(taken);
  const ports = new Set<number>();
  return built.map((component) => {
    const { root, name } = component.report.component;
    const wanted =
      (root === '.' ? name : (root.split('/').at(-1) ?? name))
        .toLowerCase()
        .replace(/[^a-z0-9_-]+/g, '-')
        .replace(/^[^a-z0-9]+|-+$/g, '') || 'app';
    let unique = wanted;
    for (let i = 2; names.has(unique); i += 1) unique = `${wanted}-${i}`;
    names.add(unique);
    let hostPort = component.port === undefined ? undefined : Number(component.port);
    while (hostPort !== undefined && ports.has(hostPort)) hostPort += 1;
    if (hostPort !== undefined) ports.add(hostPort);
    return { ...component, name: unique, hostPort: hostPort === undefined ? undefined : String(hostPort) };
  });
}

function componentService(own: Named, all: readonly Named[], used: readonly string[]): Service {
  const { report, context, dockerfile, port, hostPort } = own;
  const inContext = relativeTo(context, dockerfile);
  const { values, required, peers } = environmentFor(own, all);
  const needed = report.component.services.map(({ value }) => value).filter((service) => used.includes(service));
  const environment: Record<string, string> = {};
  for (const { name } of report.environment) {
    const value =
      needed.map((service) => connectionValue(service, service, name)).find((found) => found !== undefined) ??
      values[name] ??
      (required.includes(name) ? `\${${name}:?set ${name} in .env}` : undefined);
    if (value !== undefined) environment[name] = value;
  }
  const dependsOn = [
    ...needed.map((service) => [service, serviceRun(service)?.health ? 'service_healthy' : 'service_started']),
    ...[...peers].sort().map((peer) => [peer, 'service_started']),
  ];
  const where = context === '.' ? '.' : `./${context}`;
  return {
    build: inContext === 'Dockerfile' ? where : { context: where, dockerfile: inContext },
    ...(Object.keys(environment).length > 0 ? { environment } : {}),
    ...(port === undefined || hostPort === undefined ? {} : { ports: [`127.0.0.1:${hostPort}:${port}`] }),
    ...(dependsOn.length > 0
      ? { depends_on: Object.fromEntries(dependsOn.map(([name, condition]) => [name, { condition }])) }
      : {}),
    restart: 'unless-stopped',
  };
}

/** What a component is given beside addresses of backing services. */
export interface ComponentEnvironment {
  /** Variables that the other components and the container itself decide. */
  readonly values: Readonly<Record<string, string>>;
  /** Variables that somebody must set. */
  readonly required: readonly string[];
  /** Names of the components that it calls. */
  readonly peers: readonly string[];
}

export function environmentFor(own: Named, all: readonly Named[]): ComponentEnvironment {
  const peers = new Set<string>();
  const values: Record<string, string> = {};
  const required: string[] = [];
  for (const variable of own.report.environment) {
    const value = peerValue(variable, own, all, peers) ?? listenValue(variable);
    if (value !== undefined) values[variable.name] = value;
    else if (mustBeGiven(variable)) required.push(variable.name);
  }
  return { values, required, peers: [...peers] };
}

/** A default that points at this machine and at the port of another component means that component. */
function peerValue(
  variable: EnvironmentVariable,
  own: Named,
  all: readonly Named[],
  peers: Set<string>,
): string | undefined {
  const match = /^(https?:\/\/)(?:localhost|127\.0\.0\.1):(\d+)(\/\S*)?$/.exec(variable.fallback ?? '');
  const found = match && all.filter((other) => other.name !== own.name && other.port === match[2]);
  const [peer] = found ?? [];
  if (!match || !peer || found?.length !== 1) return undefined;
  peers.add(peer.name);
  return `${match[1] ?? ''}${peer.name}:${match[2] ?? ''}${match[3] ?? ''}`;
}

function listenValue({ name, fallback }: EnvironmentVariable): string | undefined {
  return LISTEN_NAME.test(name) && /^(localhost|127\.0\.0\.1)$/.test(fallback ?? '') ? '0.0.0.0' : undefined;
}

function mustBeGiven({ name, fallback, required }: EnvironmentVariable): boolean {
  return fallback === undefined && (required || SECRET_NAME.test(name)) && name !== 'PORT' && name !== 'NODE_ENV';
}

function backingService(service: string): Service {
  const known = serviceRun(service);
  if (!known) return {};
  return {
    image: known.image,
    ...(known.environment ? { environment: known.environment } : {}),
    ...(known.health
      ? { healthcheck: { test: known.health, interval: '10s', timeout: '5s', retries: 5, start_period: '20s' } }
      : {}),
    ...(known.data === undefined ? {} : { volumes: [`${service}-data:${known.data}`] }),
    restart: 'unless-stopped',
  };
}

/** The compose file that the tree has, under any of its names. */
export function existingCompose(exists: (path: string) => boolean): string | undefined {
  return COMPOSE_NAMES.map((name) => inFolder('.', name)).find(exists);
}
