import type { SeenBreaker, SystemStatus } from '@devmesh/contracts/system-status';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { bytes, duration, plain, table } from '../output/text.js';
import { theme, type Theme } from '../output/theme.js';
import { ControlClient } from '../supervisor/control-client.js';
import { readHomeFormat } from '../supervisor/home.js';
import { ask } from '../supervisor/http-probe.js';
import { processMemory } from '../supervisor/processes.js';
import type { DatabaseStatus, MeshStatus, ServiceStatus } from '../supervisor/protocol.js';
import { connect, upLine } from './mesh.js';

/** A service as `status` shows it. `health`: what the service says of itself, or why it doesn't. */
export interface SeenService extends ServiceStatus {
  readonly health: string;
  readonly version: string | null;
  readonly uptimeMs: number | null;
  readonly memoryBytes: number | null;
}

async function look(service: ServiceStatus, now: number): Promise<SeenService> {
  let health = service.state === 'ready' ? 'no answer' : '-';
  let version: string | null = null;
  if (service.pid !== null) {
    try {
      const answer = await ask(`${service.address}/health`, { timeoutMs: 3_000 });
      const body = JSON.parse(answer.body) as { status?: unknown; version?: unknown };
      health = typeof body.status === 'string' ? plain(body.status) : String(answer.status);
      version = typeof body.version === 'string' ? plain(body.version) : null;
    } catch {
      // Said by `health` already.
    }
  }
  return {
    ...service,
    health,
    version,
    uptimeMs: service.startedAt === null ? null : now - service.startedAt,
    memoryBytes: service.pid === null ? null : await processMemory(service.pid),
  };
}

async function databaseMemory(database: DatabaseStatus): Promise<number | null> {
  if (database.kind === 'external' || database.pid === null) return null;
  const { familyMemory } = await import('../supervisor/family-memory.js');
  return familyMemory(database.pid);
}

/** How the mesh as a whole is, as its gateway says; null when that does not answer. */
async function systemOf(context: CliContext): Promise<SystemStatus | null> {
  try {
    return await (await connect(context)).api.status();
  } catch {
    return null;
  }
}

function systemLines(system: SystemStatus, paint: Theme): string[] {
  const { state, rules, load } = system;
  const colour = state === 'healthy' ? paint.good : state === 'degraded' ? paint.warn : paint.bad;
  const counts =
    load === null ? '' : ` ${load.activeRuns} under way, ${load.queuedRuns} queued, ${load.pausedRuns} paused`;
  return [
    `${colour(state)}${paint.dim(counts)}`,
    ...rules.map(({ rule, says }) => `  ${rule}: ${plain(says)}`),
    `  ${paint.dim(breakersLine(system.breakers))}`,
  ];
}

/** "breakers: 17 closed, orchestrator to cicd open". */
export function breakersLine(breakers: readonly SeenBreaker[]): string {
  const others = breakers.filter(({ state }) => state !== 'closed');
  const closed = `${breakers.length - others.length} closed`;
  const named = others.map(
    ({ caller, callee, state }) => `${plain(caller)} to ${plain(callee)} ${state === 'open' ? 'open' : 'half open'}`,
  );
  return `breakers: ${[closed, ...named].join(', ')}`;
}

export interface StatusOptions {
  readonly json?: boolean;
}

export function isHealthy(status: MeshStatus, services: readonly SeenService[]): boolean {
  return (
    status.phase === 'ready' &&
    status.database.state === 'ready' &&
    services.every(({ state, health }) => state === 'ready' && (health === 'ok' || health === 'degraded'))
  );
}

export async function status(context: CliContext, options: StatusOptions): Promise<ExitCode> {
  const { out, home, self } = context;
  await readHomeFormat(home);
  const found = await ControlClient.connect(home);
  const paint = theme(out.color);
  if (found === null) {
    if (options.json === true)
      out.write(`${JSON.stringify({ up: false, healthy: false, system: null, mesh: null, services: [] })}\n`);
    else out.write(`${paint.dim('○')} the mesh is not up ${paint.dim(`(${home.root})`)}: start it with ${self} up\n`);
    return EXIT.failed;
  }
  const mesh = found.status;
  const now = Date.now();
  const [system, services, databaseBytes, supervisorBytes] = await Promise.all([
    mesh.phase === 'ready' ? systemOf(context) : null,
    Promise.all(mesh.services.map((service) => look(service, now))),
    databaseMemory(mesh.database),
    processMemory(mesh.pid),
  ]);
  const healthy = isHealthy(mesh, services) && system !== null && system.state !== 'unhealthy';
  if (options.json === true) {
    out.write(
      `${JSON.stringify({ up: true, healthy, system, mesh: { ...mesh, services: undefined, database: { ...mesh.database, memoryBytes: databaseBytes }, memoryBytes: supervisorBytes }, services })}\n`,
    );
    return healthy ? EXIT.passed : EXIT.failed;
  }
  const state = (one: { state: string; retryAt: number | null }): string => {
    if (one.state === 'ready') return paint.good('● ready');
    if (one.state === 'restarting') return paint.bad(`↻ again in ${duration((one.retryAt ?? now) - now)}`);
    return paint.warn(`◌ ${one.state}`);
  };
  const health = (text: string): string =>
    text === 'ok' ? paint.good(text) : text === '-' ? paint.dim(text) : paint.warn(text);
  const memory = (size: number | null): string => (size === null ? '-' : bytes(size));
  const trouble = (one: { restarts: number; lastExit: string | null }): string =>
    one.restarts === 0 ? '' : `${one.restarts} × ${one.lastExit ?? 'died'}`;
  const head = ['SERVICE', 'STATE', 'HEALTH', 'ADDRESS', 'VERSION', 'PID', 'UPTIME', 'MEMORY', 'DEATHS'];
  const rows = services.map((one) => [
    one.name,
    state(one),
    health(one.health),
    one.address,
    one.version ?? '-',
    one.pid === null ? '-' : String(one.pid),
    one.uptimeMs === null ? '-' : duration(one.uptimeMs),
    memory(one.memoryBytes),
    trouble(one),
  ]);
  const { database } = mesh;
  rows.push([
    `postgres${database.kind === 'external' ? ' (yours)' : ''}`,
    state(database),
    database.state === 'ready' ? health('ok') : '-',
    database.address,
    '-',
    database.pid === null ? '-' : String(database.pid),
    database.startedAt === null ? '-' : duration(now - database.startedAt),
    memory(databaseBytes),
    trouble(database),
  ]);
  rows.push([
    'supervisor',
    paint.good('● ready'),
    '-',
    '-',
    mesh.version,
    String(mesh.pid),
    duration(now - mesh.startedAt),
    memory(supervisorBytes),
    '',
  ]);
  const [first = '', ...lines] = table(head, rows, out.columns, [5, 6, 7]);
  out.write(
    `${mesh.phase === 'ready' ? upLine(mesh, false, out.color) : `${paint.warn('◌')} the mesh is ${mesh.phase}`}\n\n`,
  );
  out.write(`${[paint.dim(first), ...lines].join('\n')}\n`);
  if (system !== null) out.write(`\n${systemLines(system, paint).join('\n')}\n`);
  const sum = services.reduce((total, { memoryBytes }) => total + (memoryBytes ?? 0), 0);
  out.write(
    `\n${paint.dim(`services ${bytes(sum)}${process.platform === 'linux' ? ' (PSS)' : ''} · data ${home.root} · logs: ${self} logs SERVICE`)}\n`,
  );
  return healthy ? EXIT.passed : EXIT.failed;
}
