import { BACKING_SERVICES, connectionPart } from '@devmesh/analysis/stack/backing-services';

/** How a backing service is run beside the components. Passwords stay references to variables. */
export interface ServiceRun {
  readonly environment?: Readonly<Record<string, string>>;
  /** Test of its health check. */
  readonly health?: readonly string[];
  /** Folder in the container that a volume keeps. */
  readonly data?: string;
  /** Its address for a host name. */
  readonly url: (host: string) => string;
}

const required = (name: string): string => `\${${name}:?set ${name} in .env}`;

const SERVICE_RUNS: Readonly<Record<string, ServiceRun>> = {
  postgres: {
    environment: { POSTGRES_USER: 'app', POSTGRES_DB: 'app', POSTGRES_PASSWORD: required('POSTGRES_PASSWORD') },
    health: ['CMD', 'pg_isready', '--username', 'app', '--dbname', 'app'],
    data: '/var/lib/postgresql/data',
    url: (host) => `postgresql://app:${required('POSTGRES_PASSWORD')}@${host}:5432/app`,
  },
  mysql: {
    environment: {
      MYSQL_USER: 'app',
      MYSQL_DATABASE: 'app',
      MYSQL_PASSWORD: required('MYSQL_PASSWORD'),
      MYSQL_RANDOM_ROOT_PASSWORD: 'yes',
    },
    health: ['CMD', 'mysqladmin', 'ping', '--silent'],
    data: '/var/lib/mysql',
    url: (host) => `mysql://app:${required('MYSQL_PASSWORD')}@${host}:3306/app`,
  },
  mariadb: {
    environment: {
      MARIADB_USER: 'app',
      MARIADB_DATABASE: 'app',
      MARIADB_PASSWORD: required('MARIADB_PASSWORD'),
      MARIADB_RANDOM_ROOT_PASSWORD: 'yes',
    },
    health: ['CMD', 'healthcheck.sh', '--connect', '--innodb_initialized'],
    data: '/var/lib/mysql',
    url: (host) => `mariadb://app:${required('MARIADB_PASSWORD')}@${host}:3306/app`,
  },
  mongodb: {
    health: ['CMD', 'mongosh', '--quiet', '--eval', 'db.runCommand({ ping: 1 }).ok'],
    data: '/data/db',
    url: (host) => `mongodb://${host}:27017/app`,
  },
  redis: {
    health: ['CMD', 'redis-cli', 'ping'],
    data: '/data',
    url: (host) => `redis://${host}:6379`,
  },
  rabbitmq: {
    environment: { RABBITMQ_DEFAULT_USER: 'app', RABBITMQ_DEFAULT_PASS: required('RABBITMQ_PASSWORD') },
    health: ['CMD', 'rabbitmq-diagnostics', '--quiet', 'ping'],
    data: '/var/lib/rabbitmq',
    url: (host) => `amqp://app:${required('RABBITMQ_PASSWORD')}@${host}:5672`,
  },
  kafka: {
    url: (host) => `${host}:9092`,
  },
  elasticsearch: {
    environment: { 'discovery.type': 'single-node', 'xpack.security.enabled': 'false' },
    data: '/usr/share/elasticsearch/data',
    url: (host) => `http://${host}:9200`,
  },
  memcached: {
    url: (host) => `${host}:11211`,
  },
  nats: {
    url: (host) => `nats://${host}:4222`,
  },
};

/** How to run a service; undefined for one that is not known here. */
export function serviceRun(service: string): (ServiceRun & { readonly image: string }) | undefined {
  const run = SERVICE_RUNS[service];
  const known = BACKING_SERVICES[service];
  return run && known && { ...run, image: known.image };
}

/** What a variable of a component is set to so that it finds the service; undefined when it isn't about the service. */
export function connectionValue(service: string, host: string, variable: string): string | undefined {
  const run = SERVICE_RUNS[service];
  switch (run && connectionPart(service, variable)) {
    case 'url':
      return run?.url(host);
    case 'host':
      return host;
    case 'password':
      return Object.values(run?.environment ?? {}).find((value) => value.startsWith('${'));
    case 'user':
    case 'name':
      return 'app';
    default:
      return undefined;
  }
}
