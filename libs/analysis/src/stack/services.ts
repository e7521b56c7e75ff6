/**
 * Backing services by the package that speaks to them. `imports` are the module names in code where they differ from the
 * package's. A `driver` is loaded by another library, so that naming the service in the code counts as use.
 */
interface ServicePackage {
  readonly service: string;
  readonly packages: readonly string[];
  readonly imports?: readonly string[];
  readonly driver?: true;
}

const NODE: readonly ServicePackage[] = [
  { service: 'postgres', packages: ['pg', 'postgres', 'pg-promise', '@neondatabase/serverless', 'slonik'] },
  { service: 'postgres', packages: ['pg', 'pg-native'], driver: true },
  {
    service: 'redis',
    packages: [
      'redis',
      'ioredis',
      '@redis/client',
      'bullmq',
      'bull',
      '@nestjs/bullmq',
      '@nestjs/bull',
      'bee-queue',
      'connect-redis',
    ],
  },
  { service: 'mysql', packages: ['mysql', 'mysql2'] },
  { service: 'mysql', packages: ['mysql', 'mysql2'], driver: true },
  { service: 'mariadb', packages: ['mariadb'] },
  { service: 'mongodb', packages: ['mongodb', 'mongoose', '@nestjs/mongoose'] },
  { service: 'rabbitmq', packages: ['amqplib', 'amqp-connection-manager', 'rascal'] },
  { service: 'kafka', packages: ['kafkajs', 'node-rdkafka'] },
  { service: 'elasticsearch', packages: ['@elastic/elasticsearch'] },
  { service: 'memcached', packages: ['memcached', 'memjs'] },
  { service: 'nats', packages: ['nats'] },
];

const PYTHON: readonly ServicePackage[] = [
  {
    service: 'postgres',
    packages: ['psycopg', 'psycopg2', 'psycopg2-binary', 'asyncpg', 'psycopg-binary', 'pg8000'],
    imports: ['psycopg', 'psycopg2', 'asyncpg', 'pg8000'],
  },
  {
    service: 'postgres',
    packages: ['psycopg', 'psycopg2', 'psycopg2-binary', 'asyncpg', 'psycopg-binary', 'pg8000'],
    driver: true,
  },
  {
    service: 'redis',
    packages: ['redis', 'aioredis', 'rq', 'django-redis', 'arq'],
    imports: ['redis', 'aioredis', 'rq', 'django_redis', 'arq'],
  },
  { service: 'redis', packages: ['redis', 'celery'], driver: true },
  {
    service: 'mysql',
    packages: ['pymysql', 'mysqlclient', 'mysql-connector-python', 'aiomysql'],
    imports: ['pymysql', 'MySQLdb', 'mysql', 'aiomysql'],
  },
  { service: 'mysql', packages: ['pymysql', 'mysqlclient', 'mysql-connector-python', 'aiomysql'], driver: true },
  { service: 'mongodb', packages: ['pymongo', 'motor', 'mongoengine', 'beanie'] },
  { service: 'rabbitmq', packages: ['pika', 'aio-pika'], imports: ['pika', 'aio_pika'] },
  { service: 'rabbitmq', packages: ['celery', 'kombu'], driver: true },
  {
    service: 'kafka',
    packages: ['kafka-python', 'aiokafka', 'confluent-kafka'],
    imports: ['kafka', 'aiokafka', 'confluent_kafka'],
  },
  { service: 'elasticsearch', packages: ['elasticsearch'] },
  { service: 'memcached', packages: ['pymemcache', 'python-memcached'], imports: ['pymemcache', 'memcache'] },
];

/** Modules without the `/v2` of their major version. */
const GO: readonly ServicePackage[] = [
  {
    service: 'postgres',
    packages: [
      'github.com/jackc/pgx',
      'github.com/lib/pq',
      'gorm.io/driver/postgres',
      'github.com/go-pg/pg',
      'github.com/uptrace/bun/driver/pgdriver',
    ],
  },
  { service: 'mysql', packages: ['github.com/go-sql-driver/mysql', 'gorm.io/driver/mysql'] },
  {
    service: 'redis',
    packages: [
      'github.com/redis/go-redis',
      'github.com/go-redis/redis',
      'github.com/gomodule/redigo',
      'github.com/redis/rueidis',
      'github.com/hibiken/asynq',
    ],
  },
  { service: 'mongodb', packages: ['go.mongodb.org/mongo-driver'] },
  { service: 'rabbitmq', packages: ['github.com/rabbitmq/amqp091-go', 'github.com/streadway/amqp'] },
  {
    service: 'kafka',
    packages: [
      'github.com/segmentio/kafka-go',
      'github.com/IBM/sarama',
      'github.com/twmb/franz-go',
      'github.com/confluentinc/confluent-kafka-go',
    ],
  },
  { service: 'elasticsearch', packages: ['github.com/elastic/go-elasticsearch'] },
  { service: 'memcached', packages: ['github.com/bradfitz/gomemcache'] },
  { service: 'nats', packages: ['github.com/nats-io/nats.go'] },
];

/** Artifacts without their group; `imports` are the packages of their classes. */
const JAVA: readonly ServicePackage[] = [
  { service: 'postgres', packages: ['postgresql', 'r2dbc-postgresql'], imports: ['org.postgresql'], driver: true },
  { service: 'mysql', packages: ['mysql-connector-j', 'mysql-connector-java'], imports: ['com.mysql'], driver: true },
  { service: 'mariadb', packages: ['mariadb-java-client'], imports: ['org.mariadb'], driver: true },
  {
    service: 'redis',
    packages: ['jedis', 'lettuce-core', 'redisson', 'spring-boot-starter-data-redis'],
    imports: ['redis.clients.jedis', 'io.lettuce.core', 'org.redisson', 'org.springframework.data.redis'],
  },
  {
    service: 'mongodb',
    packages: ['mongodb-driver-sync', 'spring-boot-starter-data-mongodb'],
    imports: ['com.mongodb', 'org.springframework.data.mongodb'],
  },
  {
    service: 'rabbitmq',
    packages: ['amqp-client', 'spring-boot-starter-amqp'],
    imports: ['com.rabbitmq', 'org.springframework.amqp'],
  },
  {
    service: 'kafka',
    packages: ['kafka-clients', 'spring-kafka'],
    imports: ['org.apache.kafka', 'org.springframework.kafka'],
  },
];

export type Ecosystem = 'node' | 'python' | 'go' | 'java';

const TABLES: Readonly<Record<Ecosystem, readonly ServicePackage[]>> = {
  node: NODE,
  python: PYTHON,
  go: GO,
  java: JAVA,
};

function table(ecosystem: Ecosystem): readonly ServicePackage[] {
  return TABLES[ecosystem];
}

/** A Go module path without its major version. */
export function goModule(module: string): string {
  return module.replace(/\/v\d+(?=\/|$)/, '');
}

/** The package of an import: `@scope/name/x` is `@scope/name`, `redis.asyncio` is `redis`. */
export function packageOfImport(ecosystem: Ecosystem, module: string): string {
  if (ecosystem === 'python') return module.split('.')[0] ?? '';
  if (ecosystem === 'java') return module;
  if (ecosystem === 'go') return goModule(module).split('/').slice(0, 3).join('/');
  const parts = module.replace(/^node:/, '').split('/');
  return module.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
}

/** The service that importing `module` means, and the packages one of which must be declared for it. */
export function serviceOfImport(
  ecosystem: Ecosystem,
  module: string,
): { service: string; packages: readonly string[] } | undefined {
  if (ecosystem === 'go' || ecosystem === 'java') {
    const whole = ecosystem === 'go' ? goModule(module) : module;
    const separator = ecosystem === 'go' ? '/' : '.';
    return table(ecosystem).find((entry) =>
      (entry.imports ?? entry.packages).some((one) => whole === one || whole.startsWith(one + separator)),
    );
  }
  const name = packageOfImport(ecosystem, module);
  return table(ecosystem).find((entry) => !entry.driver && (entry.imports ?? entry.packages).includes(name));
}

/** Packages through which a service that the code only names (`dialect: 'postgres'`) is reached. */
export function driversOf(ecosystem: Ecosystem, service: string): readonly string[] {
  return table(ecosystem)
    .filter((entry) => entry.service === service)
    .flatMap((entry) => entry.packages);
}
