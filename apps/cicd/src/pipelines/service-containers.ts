import { BACKING_SERVICES, connectionPart } from '@devmesh/analysis/stack/backing-services';

/** A service that tests reach on localhost. It lives for one job and holds nothing, so it asks for no password where it can. */
interface ServiceContainer {
  readonly environment?: Readonly<Record<string, string>>;
  readonly health?: string;
  readonly url: string;
  readonly user?: string;
  readonly database?: string;
}

const CONTAINERS: Readonly<Record<string, ServiceContainer>> = {
  postgres: {
    environment: { POSTGRES_HOST_AUTH_METHOD: 'trust' },
    health: 'pg_isready --username postgres',
    url: 'postgresql://postgres@localhost:5432/postgres',
    user: 'postgres',
    database: 'postgres',
  },
  mysql: {
    environment: { MYSQL_ALLOW_EMPTY_PASSWORD: 'yes', MYSQL_DATABASE: 'test' },
    health: 'mysqladmin ping --silent',
    url: 'mysql://root@127.0.0.1:3306/test',
    user: 'root',
    database: 'test',
  },
  mariadb: {
    environment: { MARIADB_ALLOW_EMPTY_ROOT_PASSWORD: 'yes', MARIADB_DATABASE: 'test' },
    health: 'healthcheck.sh --connect --innodb_initialized',
    url: 'mariadb://root@127.0.0.1:3306/test',
    user: 'root',
    database: 'test',
  },
  mongodb: { health: 'mongosh --quiet --eval 1', url: 'mongodb://localhost:27017/test' },
  redis: { health: 'redis-cli ping', url: 'redis://localhost:6379' },
  rabbitmq: { health: 'rabbitmq-diagnostics --quiet ping', url: 'amqp://localhost:5672' },
};

/** The `services` of a job. */
export function serviceContainers(services: readonly string[]): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    services.flatMap((service) => {
      const container = CONTAINERS[service];
      const known = BACKING_SERVICES[service];
      if (!container || !known) return [];
      const health = container.health;
      const definition = {
        image: known.image,
        ...(container.environment ? { env: container.environment } : {}),
        ports: [`${known.port}:${known.port}`],
        ...(health === undefined
          ? {}
          : { options: `--health-cmd "${health}" --health-interval 5s --health-timeout 5s --health-retries 10` }),
      };
      return [[service, definition]];
    }),
  );
}

/** The `services` of a job of GitLab CI, reached by their names. */
export function gitlabServices(services: readonly string[]): { name: string; alias: string; variables?: object }[] {
  return services.flatMap((service) => {
    const container = CONTAINERS[service];
    const known = BACKING_SERVICES[service];
    if (!container || !known) return [];
    const variables = container.environment ? { variables: container.environment } : {};
    return [{ name: known.image, alias: service, ...variables }];
  });
}

/** What variables must be for the tests to find these services: on this machine, or by `hosts` their names. */
export function testEnvironment(
  services: readonly string[],
  variables: readonly string[],
  hosts: 'local' | 'names' = 'local',
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const variable of variables) {
    for (const service of services) {
      const container = CONTAINERS[service];
      const part = container && connectionPart(service, variable);
      const value = {
        url: hosts === 'local' ? container?.url : container?.url.replace(/localhost|127\.0\.0\.1/, service),
        host: hosts === 'local' ? '127.0.0.1' : service,
        user: container?.user,
        password: '',
        name: container?.database,
      }[part ?? 'user'];
      if (part !== undefined && value !== undefined) environment[variable] ??= value;
    }
  }
  return environment;
}
