import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICE_NAMES, SERVICES } from '@devmesh/contracts/services';
import pg from 'pg';
import type { PostgresServer } from './postgres.js';
import { TEST_ACTIONS, TEST_AGENT } from './test-agent.actions.js';
import { freePorts } from './free-ports.js';

export interface MeshBoxOptions {
  /** Default 1. */
  readonly orchestrators?: number;
  /** Processes of the test agent; default 1. */
  readonly agents?: number;
  /** Whether agents join by key; off only to show that the tests notice. */
  readonly join?: boolean;
  /** Runs that an orchestrator has in a turn at once. */
  readonly turns?: number;
  /** Where a Redis is that keeps the queue in place of PostgreSQL. */
  readonly queueRedisUrl?: string;
  /** More settings of PostgreSQL. */
  readonly postgres?: Readonly<Record<string, string>>;
}

export interface PlannedProcess {
  readonly name: string;
  /** Below the root of the product. */
  readonly entry: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
}

export interface PlannedDoor {
  readonly caller: string;
  readonly callee: string;
  /** Where the caller calls. */
  readonly port: number;
  /** Where the callee listens. */
  readonly target: number;
}

/** Which processes a box has, and which doors between them. */
export interface BoxPlan {
  readonly processes: readonly PlannedProcess[];
  readonly doors: readonly PlannedDoor[];
  readonly bodies: string;
  /** Superuser's URL of the mesh's database. */
  readonly adminUrl: string;
}

const DATABASE = 'devmesh';
const QUEUE_ROLE = 'box_queue';

/** Lays the box out: ports, folders, files, roles. */
export async function boxPlan(options: MeshBoxOptions, folder: string, postgres: PostgresServer): Promise<BoxPlan> {
  const orchestrators = names('orchestrator', options.orchestrators ?? 1);
  const agents = names('agent', options.agents ?? 1);
  const state = 'state-persistence';
  const bodies = join(folder, 'bodies');
  const owner = await makeDatabase(postgres);

  const callers = [...orchestrators, ...agents];
  const ports = await freePorts(1 + callers.length * 2 + orchestrators.length * (1 + agents.length));
  const next = (): number => {
    const port = ports.pop();
    if (port === undefined) throw new Error('too few ports were taken for this box');
    return port;
  };
  const portOf = new Map([state, ...callers].map((name) => [name, next()]));
  const target = (name: string) => portOf.get(name) ?? 0;
  const doors: PlannedDoor[] = [
    ...callers.map((caller) => ({ caller, callee: state, port: next(), target: target(state) })),
    ...orchestrators.flatMap((caller) =>
      agents.map((callee) => ({ caller, callee, port: next(), target: target(callee) })),
    ),
    ...orchestrators.map((caller) => ({ caller, callee: 'postgres', port: next(), target: postgres.port })),
  ];
  const doorOf = (caller: string, callee: string) =>
    doors.find((door) => door.caller === caller && door.callee === callee)?.port ?? 0;

  const common = (name: string) => ({
    PATH: process.env['PATH'] ?? '',
    DEVMESH_HOME: join(folder, 'homes', name),
    DEVMESH_HOST: '127.0.0.1',
    DEVMESH_PORT: String(target(name)),
    DEVMESH_INTERNAL_TOKEN_FILE: join(folder, 'token'),
    // Only those who are in the box are there.
    DEVMESH_ENDPOINTS: JSON.stringify({
      ...Object.fromEntries(SERVICE_NAMES.filter((service) => SERVICES[service].agent).map((service) => [service, []])),
      [state]: [`http://127.0.0.1:${doorOf(name, state)}`],
    }),
  });

  const processes: PlannedProcess[] = [
    {
      name: state,
      entry: 'apps/state-persistence/dist/main.js',
      port: target(state),
      env: { ...common(state), DATABASE_URL: owner.url },
    },
    ...orchestrators.map((name) => ({
      name,
      entry: 'apps/orchestrator/dist/main.js',
      port: target(name),
      env: {
        ...common(name),
        DEVMESH_ORCHESTRATOR_NAME: name,
        DEVMESH_QUEUE_DATABASE_URL: owner.queueUrl(doorOf(name, 'postgres')),
        DEVMESH_PLACEMENT: writePlacement(
          folder,
          name,
          agents.map((agent) => doorOf(name, agent)),
        ),
        ...(options.queueRedisUrl === undefined ? {} : { DEVMESH_QUEUE_REDIS_URL: options.queueRedisUrl }),
        ...(options.turns === undefined ? {} : { DEVMESH_TURNS: String(options.turns) }),
      },
    })),
    ...agents.map((name) => ({
      name,
      entry: 'libs/testing/dist/test-agent.js',
      port: target(name),
      env: {
        ...common(name),
        DEVMESH_AGENT_CONCURRENCY: '500',
        TEST_AGENT_BODIES: bodies,
        TEST_AGENT_JOIN: String(options.join ?? true),
      },
    })),
  ];
  return { processes, doors, bodies, adminUrl: owner.adminUrl };
}

function names(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${kind}-${i + 1}`);
}

/** Where this orchestrator finds the test agents. */
function writePlacement(folder: string, orchestrator: string, ports: readonly number[]): string {
  const file = join(folder, `placement-${orchestrator}.yaml`);
  const placement = {
    agents: [
      {
        name: TEST_AGENT,
        addresses: ports.map((port) => `http://127.0.0.1:${port}`),
        actions: Object.values(TEST_ACTIONS).map((action) => ({
          id: action.id,
          title: action.title,
          effects: action.effects,
          default: action.isDefault,
          gives_verdict: action.givesVerdict,
          timeout_ms: action.timeoutMs,
        })),
      },
    ],
  };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(placement));
  return file;
}

/** The mesh's database, its owner, and a role that sees the queue's schema alone. */
async function makeDatabase(postgres: PostgresServer) {
  const passwords = { owner: randomBytes(12).toString('hex'), queue: randomBytes(12).toString('hex') };
  const at = (user: string, password: string, port = postgres.port) =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${DATABASE}`;
  const admin = new URL(postgres.url);
  admin.pathname = `/${DATABASE}`;
  await sql(postgres.url, [
    `create role ${DATABASE} login password '${passwords.owner}'`,
    `create role ${QUEUE_ROLE} login password '${passwords.queue}'`,
    `create database ${DATABASE} owner ${DATABASE}`,
  ]);
  await sql(admin.href, [
    `grant all on schema public to ${DATABASE}`,
    `create schema queue authorization ${QUEUE_ROLE}`,
    `revoke all on database ${DATABASE} from public`,
    // BullMQ says `create schema if not exists`, which wants the right even when the schema is there.
    `grant connect, create, temporary on database ${DATABASE} to ${QUEUE_ROLE}`,
    `revoke all on schema public from public`,
    `alter role ${QUEUE_ROLE} in database ${DATABASE} set search_path = queue`,
  ]);
  return {
    adminUrl: admin.href,
    url: at(DATABASE, passwords.owner),
    queueUrl: (port: number) => at(QUEUE_ROLE, passwords.queue, port),
  };
}

async function sql(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
