/** What a backing service is called and reached by. Image versions as of 2026-11. */
export interface BackingService {
  readonly image: string;
  readonly port: string;
  /** Names of variables that hold its whole address. */
  readonly urlNames: RegExp;
  /** Names of variables for the parts of the address. */
  readonly parts: {
    readonly host?: RegExp;
    readonly user?: RegExp;
    readonly password?: RegExp;
    readonly name?: RegExp;
  };
}

export const BACKING_SERVICES: Readonly<Record<string, BackingService>> = {
  postgres: {
    image: 'postgres:17.6',
    port: '5432',
    urlNames: /^(DATABASE|DB|POSTGRES|POSTGRESQL|PG)_(URL|URI|DSN)$/,
    parts: {
      host: /^(PGHOST|(DB|DATABASE|POSTGRES|PG)_HOST)$/,
      user: /^(PGUSER|(DB|DATABASE|POSTGRES|PG)_USER(NAME)?)$/,
      password: /^(PGPASSWORD|(DB|DATABASE|POSTGRES|PG)_PASS(WORD)?)$/,
      name: /^(PGDATABASE|(DB|DATABASE|POSTGRES|PG)_(NAME|DB|DATABASE))$/,
    },
  },
  mysql: {
    image: 'mysql:8.4',
    port: '3306',
    urlNames: /^(DATABASE|DB|MYSQL)_(URL|URI|DSN)$/,
    parts: {
      host: /^(DB|DATABASE|MYSQL)_HOST$/,
      user: /^(DB|DATABASE|MYSQL)_USER(NAME)?$/,
      password: /^(DB|DATABASE|MYSQL)_PASS(WORD)?$/,
      name: /^(DB|DATABASE|MYSQL)_(NAME|DB|DATABASE)$/,
    },
  },
  mariadb: {
    image: 'mariadb:11.8',
    port: '3306',
    urlNames: /^(DATABASE|DB|MARIADB|MYSQL)_(URL|URI|DSN)$/,
    parts: {
      host: /^(DB|DATABASE|MARIADB|MYSQL)_HOST$/,
      user: /^(DB|DATABASE|MARIADB|MYSQL)_USER(NAME)?$/,
      password: /^(DB|DATABASE|MARIADB|MYSQL)_PASS(WORD)?$/,
      name: /^(DB|DATABASE|MARIADB|MYSQL)_(NAME|DB|DATABASE)$/,
    },
  },
  mongodb: {
    image: 'mongo:8.0',
    port: '27017',
    urlNames: /^(MONGO|MONGODB|DATABASE|DB)_(URL|URI|DSN)$/,
    parts: { host: /^(MONGO|MONGODB)_HOST$/ },
  },
  redis: {
    image: 'redis:8.2',
    port: '6379',
    urlNames: /^(REDIS|CACHE|QUEUE|CELERY_BROKER|BROKER)_(URL|URI|DSN)$/,
    parts: { host: /^(REDIS|CACHE)_HOST$/ },
  },
  rabbitmq: {
    image: 'rabbitmq:4.1',
    port: '5672',
    urlNames: /^(RABBITMQ|RABBIT|AMQP|BROKER|CELERY_BROKER|QUEUE)_(URL|URI|DSN)$/,
    parts: { host: /^(RABBITMQ|RABBIT|AMQP)_HOST$/ },
  },
  kafka: {
    image: 'apache/kafka:4.1.0',
    port: '9092',
    urlNames: /^KAFKA_(BROKERS?|URL|BOOTSTRAP_SERVERS?)$/,
    parts: {},
  },
  elasticsearch: {
    image: 'elasticsearch:9.1.3',
    port: '9200',
    urlNames: /^(ELASTICSEARCH|ELASTIC|ES)_(URL|NODE|HOSTS?)$/,
    parts: {},
  },
  memcached: {
    image: 'memcached:1.6',
    port: '11211',
    urlNames: /^MEMCACHED?_(URL|SERVERS?)$/,
    parts: { host: /^MEMCACHED?_HOST$/ },
  },
  nats: {
    image: 'nats:2.11',
    port: '4222',
    urlNames: /^NATS_(URL|SERVERS?)$/,
    parts: {},
  },
};

/** Which part of the service's address a variable holds, by its name; undefined when it isn't about the service. */
export function connectionPart(
  service: string,
  variable: string,
): 'url' | 'host' | 'user' | 'password' | 'name' | undefined {
  const known = BACKING_SERVICES[service];
  if (!known) return undefined;
  if (known.urlNames.test(variable)) return 'url';
  return (['host', 'user', 'password', 'name'] as const).find((part) => known.parts[part]?.test(variable));
}
