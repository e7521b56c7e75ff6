import { DevmeshError } from '@devmesh/contracts/errors';
import { SERVICE_NAMES } from '@devmesh/contracts/services';
import type { CliContext } from '../context.js';
import type { MeshApi } from '../gateway/mesh-api.js';
import { LiveBlock } from '../output/live.js';
import { duration, padEnd } from '../output/text.js';
import { theme } from '../output/theme.js';
import { ControlClient } from '../supervisor/control-client.js';
import { readHomeFormat } from '../supervisor/home.js';
import { ensureUp, type Launched } from '../supervisor/launch.js';
import type { MeshStatus } from '../supervisor/protocol.js';
import { readApiKey } from '../supervisor/secrets.js';

export interface Connected {
  readonly api: MeshApi;
  readonly status: MeshStatus;
}

/** The client is the largest thing that is loaded: it comes while the supervisor is asked. */
function preload(): void {
  import('../gateway/gateway-mesh-api.js').catch(() => {});
}

async function apiOf(context: CliContext, status: MeshStatus): Promise<MeshApi> {
  // Only to try out what a wrong key gives; the mesh's own is in its folder.
  const key = context.env['DEVMESH_API_KEY'] ?? (await readApiKey(context.home));
  if (key === null || key === '')
    throw new DevmeshError(
      'unauthenticated',
      `${context.home.apiKeyFile} is missing: ${context.self} down and ${context.self} up make a new key`,
    );
  const { gatewayMeshApi } = await import('../gateway/gateway-mesh-api.js');
  const api = gatewayMeshApi(status.gateway, key);
  context.atEnd(() => api.close());
  return api;
}

/** The mesh that is up. Throws when it isn't: only `up` and `run` start one. */
export async function connect(context: CliContext): Promise<Connected> {
  await readHomeFormat(context.home);
  preload();
  const found = await ControlClient.connect(context.home);
  if (found === null)
    throw new DevmeshError(
      'unavailable',
      `the mesh is not up (${context.home.root}): start it with ${context.self} up`,
    );
  return { api: await apiOf(context, found.status), status: found.status };
}

/** One line that tells how far a start is. */
export function startLine(status: MeshStatus, color: boolean, now: number): string {
  const paint = theme(color);
  const ready = status.services.filter(({ state }) => state === 'ready').length;
  const failing = status.services
    .filter(({ state }) => state === 'restarting')
    .map(({ name, lastExit }) => `${name} (${lastExit ?? 'died'})`);
  const waiting =
    status.database.state === 'ready' || ready > 0
      ? status.services.filter(({ state }) => state !== 'ready').map(({ name }) => name)
      : [status.database.kind === 'embedded' ? 'the database' : 'your database'];
  const rest =
    failing.length > 0 ? paint.warn(`trouble: ${failing.join(', ')}`) : paint.dim(`waiting for ${waiting.join(', ')}`);
  const bar = '█'.repeat(ready) + '░'.repeat(Math.max(0, status.services.length - ready));
  return `${paint.busy('●')} starting the mesh  ${paint.busy(bar)}  ${ready}/${status.services.length}  ${padEnd(duration(now - status.startedAt), 6)}  ${ready === status.services.length ? '' : rest}`;
}

/** Rejects at Ctrl-C. What was begun goes on: a start belongs to the supervisor, not to who asked for it. */
async function whenInterrupted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const leave = (): void => reject(new DevmeshError('shutting_down', 'left with Ctrl-C'));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
}

export interface StartOptions {
  /** What the supervisor gets beside the environment of this call. */
  readonly env?: NodeJS.ProcessEnv;
  readonly portBase: number | undefined;
  /** Draws the progress where that can be done. */
  readonly show: boolean;
}

/** Makes sure that the mesh is up, showing the way there on a terminal. */
export async function start(
  context: CliContext,
  { portBase, show, env = {} }: StartOptions,
): Promise<Connected & Pick<Launched, 'fresh'>> {
  const block = show && context.out.terminal ? new LiveBlock(context.out) : null;
  let last: MeshStatus | null = null;
  preload();
  const draw = (): void => {
    if (block !== null && last !== null && last.phase !== 'ready')
      block.draw([startLine(last, context.out.color, Date.now())]);
  };
  const timer = block === null ? null : setInterval(draw, 100);
  try {
    const starting = ensureUp({
      home: context.home,
      env: { ...context.env, ...env },
      portBase,
      changed: (now) => {
        last = now;
        draw();
      },
    });
    const { status, fresh } = await Promise.race([starting, whenInterrupted(context.interrupted)]);
    return { api: await apiOf(context, status), status, fresh };
  } finally {
    if (timer !== null) clearInterval(timer);
    block?.clear();
  }
}

/** "the mesh is up: http://… (9 services, ready in 4.2 s)" */
export function upLine(status: MeshStatus, fresh: boolean, color: boolean): string {
  const paint = theme(color);
  const took = fresh && status.readyAt !== null ? `, ready in ${duration(status.readyAt - status.startedAt)}` : '';
  const services =
    status.services.length === SERVICE_NAMES.length ? 'all nine services' : `${status.services.length} services`;
  return `${paint.good('✔')} the mesh is up at ${paint.strong(status.gateway)} ${paint.dim(`(${services}${took})`)}`;
}
