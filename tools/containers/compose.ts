import { DEFAULT_INSPECTOR_BASE, SERVICE_NAMES, SERVICES, type ServiceName } from '@devmesh/contracts/services';
import { commandOf } from './dockerfile.ts';

/** Images of others, by version. */
export const IMAGES = {
  postgres: 'postgres:16-bookworm',
  valkey: 'valkey/valkey:8.1-bookworm',
  consul: 'hashicorp/consul:1.22',
  caddy: 'caddy:2.10',
  prometheus: 'prom/prometheus:v3.7.3',
  alertmanager: 'prom/alertmanager:v0.29.0',
  grafana: 'grafana/grafana:12.2.1',
  collector: 'otel/opentelemetry-collector-contrib:0.139.0',
  jaeger: 'jaegertracing/jaeger:2.12.0',
  loki: 'grafana/loki:3.5.7',
} as const;

/** What a person sets, in `compose/.env` or the environment. */
export const VARIABLES: readonly { readonly name: string; readonly value: string; readonly about: string }[] = [
  { name: 'IMAGE_REGISTRY', value: 'devmesh', about: 'where the images of the mesh are: REGISTRY/gateway and so on' },
  {
    name: 'IMAGE_TAG',
    value: 'local',
    about: 'which of them: local is built here, a release is named by its git revision',
  },
  {
    name: 'DEVMESH_SECRETS',
    value: './secrets',
    about: 'folder with the secrets, one a file: compose/make-secrets.sh makes it',
  },
  { name: 'DEVMESH_UID', value: '1000', about: 'user that the services run as; the secrets belong to it' },
  { name: 'DEVMESH_GID', value: '1000', about: 'its group' },
  { name: 'DEVMESH_GATEWAY_PORT', value: '8000', about: 'port of 127.0.0.1 where the gateway answers' },
  { name: 'CONSUL_UI_PORT', value: '8500', about: 'port of 127.0.0.1 where the pages of Consul are' },
  { name: 'DEVMESH_DOMAIN', value: '', about: 'production and staging: the name that the certificate is for' },
  { name: 'LOG_LEVEL', value: 'info', about: 'error, warn, info or debug' },
  {
    name: 'DEVMESH_BACKUP_TARGET',
    value: '',
    about: 'where the nightly backup goes: https://ENDPOINT/BUCKET/PREFIX?region=REGION; empty: there is none',
  },
  { name: 'DEVMESH_BACKUP_COPY_TARGET', value: '', about: 'a copy of it, in another region' },
  { name: 'DEVMESH_BACKUP_S3_ACCESS_KEY_ID', value: '', about: 'access key of these stores' },
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    value: '',
    about: 'where traces go, e.g. http://otel-collector:4318; empty: nowhere',
  },
];

/** `${NAME:-default}` as compose reads it. */
const variable = (name: string): string => {
  const found = VARIABLES.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no variable ${name}`);
  return `\${${name}:-${found.value}}`;
};

const SECRETS = [
  'internal-token',
  'api-key',
  'postgres-password',
  'queue-password',
  'backup-key',
  // Empty where no store wants one.
  's3-secret-access-key',
] as const;
type Secret = (typeof SECRETS)[number];
const secretFile = (name: Secret): string => `/run/secrets/${name}`;

const logging = { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '5' } };
const hardened = {
  read_only: true,
  cap_drop: ['ALL'],
  security_opt: ['no-new-privileges:true'],
};
const limits = (memoryMb: number, cpus: string): object => ({
  resources: { limits: { memory: `${memoryMb}M`, cpus } },
});
const healthy = (...names: string[]): object =>
  Object.fromEntries(names.map((name) => [name, { condition: 'service_healthy' }]));

/** Own variables and secrets of a service, and what must be well before it starts. */
const OWN: Partial<Record<ServiceName, { environment: Record<string, string>; secrets: Secret[]; after: string[] }>> = {
  'state-persistence': {
    environment: {
      DATABASE_URL: 'postgres://devmesh@postgres:5432/devmesh',
      DATABASE_URL_PASSWORD_FILE: secretFile('postgres-password'),
      DEVMESH_FIRST_API_KEY_FILE: secretFile('api-key'),
      DEVMESH_BACKUP_TARGET: variable('DEVMESH_BACKUP_TARGET'),
      DEVMESH_BACKUP_COPY_TARGET: variable('DEVMESH_BACKUP_COPY_TARGET'),
      DEVMESH_BACKUP_KEY_FILE: secretFile('backup-key'),
      DEVMESH_BACKUP_S3_ACCESS_KEY_ID: variable('DEVMESH_BACKUP_S3_ACCESS_KEY_ID'),
      DEVMESH_BACKUP_S3_SECRET_ACCESS_KEY_FILE: secretFile('s3-secret-access-key'),
    },
    secrets: ['postgres-password', 'api-key', 'backup-key', 's3-secret-access-key'],
    after: ['postgres', 'consul'],
  },
  orchestrator: {
    environment: {
      DEVMESH_QUEUE_REDIS_URL: 'redis://valkey:6379/0',
      DEVMESH_QUEUE_REDIS_URL_PASSWORD_FILE: secretFile('queue-password'),
    },
    secrets: ['queue-password'],
    after: ['state-persistence', 'valkey'],
  },
  gateway: { environment: {}, secrets: [], after: ['state-persistence', 'orchestrator'] },
};

const urlOf = (name: ServiceName): string => `http://${name}:${SERVICES[name].port}`;
const ENDPOINTS = JSON.stringify(Object.fromEntries(SERVICE_NAMES.map((name) => [name, [urlOf(name)]])));

function service(name: ServiceName): object {
  const own = OWN[name] ?? { environment: {}, secrets: [], after: ['state-persistence'] };
  return {
    image: `${variable('IMAGE_REGISTRY')}/${name}:${variable('IMAGE_TAG')}`,
    build: {
      context: '..',
      dockerfile: 'deploy/docker/Dockerfile',
      target: name,
      args: { REVISION: variable('IMAGE_TAG') },
    },
    user: `${variable('DEVMESH_UID')}:${variable('DEVMESH_GID')}`,
    ...hardened,
    environment: {
      DEVMESH_ADVERTISE: urlOf(name),
      DEVMESH_ENDPOINTS: ENDPOINTS,
      DEVMESH_INTERNAL_TOKEN_FILE: secretFile('internal-token'),
      CONSUL_HTTP_ADDR: 'consul:8500',
      LOG_LEVEL: variable('LOG_LEVEL'),
      OTEL_EXPORTER_OTLP_ENDPOINT: variable('OTEL_EXPORTER_OTLP_ENDPOINT'),
      DEVMESH_REVISION: variable('IMAGE_TAG'),
      ...own.environment,
    },
    secrets: ['internal-token', ...own.secrets],
    tmpfs: ['/tmp'],
    volumes: [`${name}:/data`],
    ...(name === 'gateway'
      ? { ports: [`127.0.0.1:${variable('DEVMESH_GATEWAY_PORT')}:${SERVICES.gateway.port}`] }
      : {}),
    depends_on: healthy(...own.after),
    restart: 'unless-stopped',
    stop_grace_period: '20s',
    logging,
    // The heap is not all that a process holds, and those that work on repositories start git beside.
    deploy: limits(SERVICES[name].heapMb + 256, '2'),
  };
}

const postgres = {
  image: IMAGES.postgres,
  environment: {
    POSTGRES_USER: 'devmesh',
    POSTGRES_DB: 'devmesh',
    POSTGRES_PASSWORD_FILE: secretFile('postgres-password'),
  },
  secrets: ['postgres-password'],
  volumes: ['postgres:/var/lib/postgresql/data'],
  shm_size: '256mb',
  healthcheck: {
    test: ['CMD', 'pg_isready', '--quiet', '--username=devmesh', '--dbname=devmesh', '--host=127.0.0.1'],
    interval: '5s',
    timeout: '3s',
    retries: 12,
    start_period: '30s',
  },
  security_opt: ['no-new-privileges:true'],
  restart: 'unless-stopped',
  stop_grace_period: '60s',
  logging,
  deploy: limits(1024, '2'),
};

/** The password is in a file of the container's memory: arguments and environment are for everybody to see. */
const VALKEY_START = [
  'umask 077',
  `printf 'requirepass %s\\nappendonly yes\\ndir /data\\nmaxmemory-policy noeviction\\n' "$$(cat ${secretFile('queue-password')})" > /run/valkey/valkey.conf`,
  'exec valkey-server /run/valkey/valkey.conf',
].join(' && ');

const valkey = {
  image: IMAGES.valkey,
  user: `${variable('DEVMESH_UID')}:${variable('DEVMESH_GID')}`,
  entrypoint: ['sh', '-c', VALKEY_START],
  secrets: ['queue-password'],
  // No data of a queue is worth keeping: state-persistence knows what is to be done.
  tmpfs: [`/run/valkey:uid=${variable('DEVMESH_UID')},mode=0700`, `/data:uid=${variable('DEVMESH_UID')},mode=0700`],
  healthcheck: {
    test: [
      'CMD-SHELL',
      `REDISCLI_AUTH="$$(cat ${secretFile('queue-password')})" valkey-cli --no-auth-warning ping | grep -q PONG`,
    ],
    interval: '5s',
    timeout: '3s',
    retries: 12,
  },
  ...hardened,
  restart: 'unless-stopped',
  logging,
  deploy: limits(256, '1'),
};

const consul = {
  image: IMAGES.consul,
  command: [
    'agent',
    '-server',
    '-bootstrap-expect=1',
    '-ui',
    '-client=0.0.0.0',
    '-bind=127.0.0.1',
    '-data-dir=/consul/data',
    '-log-level=warn',
  ],
  ports: [`127.0.0.1:${variable('CONSUL_UI_PORT')}:8500`],
  volumes: ['consul:/consul/data'],
  healthcheck: {
    test: ['CMD-SHELL', 'consul operator raft list-peers | grep -q leader'],
    interval: '5s',
    timeout: '3s',
    retries: 12,
    start_period: '20s',
  },
  security_opt: ['no-new-privileges:true'],
  restart: 'unless-stopped',
  logging,
  deploy: limits(256, '1'),
};

const observability = { profiles: ['observability'], restart: 'unless-stopped', logging, ...hardened };

const prometheus = {
  image: IMAGES.prometheus,
  ...observability,
  command: [
    '--config.file=/etc/prometheus/prometheus.consul.yml',
    '--storage.tsdb.path=/prometheus',
    '--storage.tsdb.retention.time=30d',
  ],
  volumes: ['../monitoring/prometheus:/etc/prometheus:ro', 'prometheus:/prometheus'],
  ports: ['127.0.0.1:9090:9090'],
  depends_on: healthy('consul'),
  deploy: limits(1024, '1'),
};

const alertmanager = {
  image: IMAGES.alertmanager,
  ...observability,
  command: ['--config.file=/etc/alertmanager/alertmanager.yml', '--storage.path=/alertmanager'],
  volumes: ['../monitoring/alertmanager:/etc/alertmanager:ro', 'alertmanager:/alertmanager'],
  ports: ['127.0.0.1:9093:9093'],
  deploy: limits(128, '0.5'),
};

const jaeger = {
  image: IMAGES.jaeger,
  ...observability,
  tmpfs: ['/tmp'],
  ports: ['127.0.0.1:16686:16686'],
  deploy: limits(512, '1'),
};

const collector = {
  image: IMAGES.collector,
  ...observability,
  // It reads the logs of all containers, which belong to root.
  user: '0:0',
  command: ['--config=/etc/otelcol/otel-collector.yml', '--config=/etc/otelcol-logs/otel-collector-loki.yml'],
  volumes: [
    '../monitoring/otel-collector:/etc/otelcol:ro',
    '../monitoring/logs:/etc/otelcol-logs:ro',
    '/var/lib/docker/containers:/var/lib/docker/containers:ro',
    'collector:/var/lib/otelcol',
  ],
  cap_add: ['DAC_READ_SEARCH'],
  depends_on: { jaeger: { condition: 'service_started' }, loki: { condition: 'service_started' } },
  deploy: limits(512, '1'),
};

const loki = {
  image: IMAGES.loki,
  ...observability,
  command: ['-config.file=/etc/loki/loki.yml'],
  volumes: ['../monitoring/logs:/etc/loki:ro', 'loki:/loki'],
  deploy: limits(512, '1'),
};

const grafana = {
  image: IMAGES.grafana,
  ...observability,
  environment: {
    GF_SECURITY_ADMIN_PASSWORD__FILE: secretFile('api-key'),
    GF_AUTH_ANONYMOUS_ENABLED: 'false',
    GF_ANALYTICS_REPORTING_ENABLED: 'false',
    GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
  },
  // As the services: the secret belongs to them.
  user: `${variable('DEVMESH_UID')}:${variable('DEVMESH_GID')}`,
  secrets: ['api-key'],
  tmpfs: ['/tmp', `/var/lib/grafana:uid=${variable('DEVMESH_UID')},mode=0700`],
  volumes: [
    '../monitoring/grafana/provisioning:/etc/grafana/provisioning:ro',
    '../monitoring/grafana/dashboards:/var/lib/grafana/dashboards:ro',
  ],
  ports: ['127.0.0.1:3000:3000'],
  deploy: limits(512, '1'),
};

/** `compose/docker-compose.yml`: the mesh on one host, as somebody tries it. */
export function base(): object {
  const services = {
    ...Object.fromEntries(SERVICE_NAMES.map((name) => [name, service(name)])),
    postgres,
    valkey,
    consul,
    prometheus,
    alertmanager,
    grafana,
    'otel-collector': collector,
    jaeger,
    loki,
  };
  const volumes = [...SERVICE_NAMES, 'postgres', 'consul', 'prometheus', 'alertmanager', 'collector', 'loki'];
  return {
    name: 'devmesh',
    services,
    volumes: Object.fromEntries(volumes.map((name) => [name, {}])),
    secrets: Object.fromEntries(SECRETS.map((name) => [name, { file: `${variable('DEVMESH_SECRETS')}/${name}` }])),
  };
}

/** Says that a member of the base is taken away; `!reset` in the text. */
export const RESET = '!reset';

const DOMAIN = '${DEVMESH_DOMAIN:?the name that the certificate is for}';

function published(): object {
  return {
    ...Object.fromEntries(
      SERVICE_NAMES.map((name) => [
        name,
        {
          image: `\${IMAGE_REGISTRY:?say where the images are}/${name}:\${IMAGE_TAG:?say which release}`,
          build: RESET,
          pull_policy: 'missing',
          environment: {
            NODE_ENV: 'production',
            // The name that it is called by through Caddy, and whose certificate is watched.
            ...(name === 'gateway' ? { DEVMESH_PUBLIC_URL: `https://${DOMAIN}` } : {}),
          },
          ...(name === 'gateway' ? { ports: RESET } : {}),
        },
      ]),
    ),
    consul: { ports: RESET },
    prometheus: { ports: RESET },
    alertmanager: { ports: RESET },
    grafana: { ports: RESET },
    jaeger: { ports: RESET },
  };
}

function caddy(file: string): object {
  return {
    image: IMAGES.caddy,
    environment: { DEVMESH_DOMAIN: DOMAIN },
    ports: ['80:80', '443:443', '443:443/udp'],
    volumes: [`./${file}:/etc/caddy/Caddyfile:ro`, 'caddy-data:/data', 'caddy-config:/config'],
    depends_on: healthy('gateway'),
    cap_drop: ['ALL'],
    cap_add: ['NET_BIND_SERVICE'],
    security_opt: ['no-new-privileges:true'],
    read_only: true,
    restart: 'unless-stopped',
    logging,
    deploy: limits(256, '1'),
  };
}

/** `docker-compose.production.yml` and `.staging.yml`, laid over the base: images are pulled, and only Caddy can be reached. */
export function behindCaddy(file: string): object {
  return {
    services: { ...published(), caddy: caddy(file) },
    volumes: { 'caddy-data': {}, 'caddy-config': {} },
  };
}

/** `docker-compose.debug.yml`: an inspector for each service at a port of its own of 127.0.0.1. */
export function debug(): object {
  const inspected = (name: ServiceName): object => ({
    command: commandOf(name, ['--inspect=0.0.0.0:9229']),
    ports: [`127.0.0.1:${DEFAULT_INSPECTOR_BASE + SERVICE_NAMES.indexOf(name)}:9229`],
    environment: { LOG_LEVEL: 'debug' },
  });
  return { services: Object.fromEntries(SERVICE_NAMES.map((name) => [name, inspected(name)])) };
}

/** What Caddy does: certificates, and the gateway behind them; `acme` names another authority for them. */
export function caddyfile(acme?: string): string {
  return `# Generated: node tools/containers/main.ts
${acme === undefined ? '' : `{\n\tacme_ca ${acme}\n}\n\n`}{$DEVMESH_DOMAIN} {
	encode zstd gzip
	header {
		Strict-Transport-Security "max-age=31536000"
		X-Content-Type-Options nosniff
		-Server
	}
	# For scrapers and checks within the stack, not for the world.
	@inside path /metrics /health/details
	respond @inside 404
	reverse_proxy ${urlOf('gateway').replace('http://', '')} {
		# Events are streamed.
		flush_interval -1
	}
}
`;
}
