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

export type Ecosystem = 'node' | 'python';

function table(ecosystem: Ecosystem): readonly ServicePackage[] {
  return ecosystem === 'node' ? NODE : PYTHON;
}

/** The package of an import: `@scope/name/x` is `@scope/name`, `redis.asyncio` is `redis`. */
export function packageOfImport(ecosystem: Ecosystem, module: string): string {
  if (ecosystem === 'python') return module.split('.')[0] ?? '';
  const parts = module.replace(/^node:/, '').split('/');
  return module.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
}

/** The service that importing `module` means, and the packages one of which must be declared for it. */
export function serviceOfImport(
  ecosystem: Ecosystem,
  module: string,
): { service: string; packages: readonly string[] } | undefined {
  const name = packageOfImport(ecosystem, module);
  return table(ecosystem).find((entry) => !entry.driver && (entry.imports ?? entry.packages).includes(name));
}

/** Packages through which a service that the code only names (`dialect: 'postgres'`) is reached. */
export function driversOf(ecosystem: Ecosystem, service: string): readonly string[] {
  return table(ecosystem)
    .filter((entry) => entry.service === service)
    .flatMap((entry) => entry.packages);
}
