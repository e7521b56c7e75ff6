import { DevmeshError } from '@devmesh/contracts/errors';
import { DEFAULT_INSPECTOR_BASE } from '@devmesh/contracts/services';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { padEnd } from '../output/text.js';
import { theme } from '../output/theme.js';
import { parseInspectorBase, parseInstances } from '../supervisor/mesh-services.js';
import { start, upLine } from './mesh.js';

export interface UpOptions {
  /** Address of a Consul agent; true: the usual one. */
  readonly consul?: string | true;
  readonly instances?: string;
  /** First of the inspector ports; true: the usual one. */
  readonly inspect?: string | true;
  readonly portBase?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export async function up(context: CliContext, options: UpOptions): Promise<ExitCode> {
  const { out, self, home } = context;
  const talk = options.json !== true && options.quiet !== true;
  const { status, fresh } = await start(context, {
    portBase: options.portBase,
    show: talk,
    env: await meshEnvironment(options),
  });
  if (!fresh && [options.consul, options.instances, options.inspect].some((option) => option !== undefined)) {
    throw new DevmeshError(
      'conflict',
      `the mesh is up already, as it was started: stop it with ${self} down first, or leave --consul, --instances and --inspect out`,
    );
  }
  if (options.json === true) out.write(`${JSON.stringify({ fresh, mesh: status })}\n`);
  if (!talk) return EXIT.passed;
  const paint = theme(out.color);
  const row = (name: string, text: string): string => `  ${paint.dim(padEnd(name, 9))} ${text}\n`;
  out.write(`${upLine(status, fresh, out.color)}${fresh ? '' : paint.dim(' · it was up already')}\n`);
  out.write(
    row('try', `${self} run`) +
      row('API', `${status.gateway}/docs ${paint.dim(`(key in ${home.apiKeyFile})`)}`) +
      row('stop', `${self} down`),
  );
  return EXIT.passed;
}

const USUAL_CONSUL = '127.0.0.1:8500';

/** What the options ask of the supervisor. Throws when there is no Consul where one was asked for: a mesh that runs goes on without. */
async function meshEnvironment({ consul, instances, inspect }: UpOptions): Promise<NodeJS.ProcessEnv> {
  if (instances !== undefined) parseInstances(instances);
  const inspector =
    inspect === undefined ? undefined : inspect === true ? DEFAULT_INSPECTOR_BASE : parseInspectorBase(inspect);
  const address = consul === true ? USUAL_CONSUL : consul;
  if (address !== undefined) await assertConsul(address);
  return {
    ...(address === undefined ? {} : { CONSUL_HTTP_ADDR: address }),
    ...(instances === undefined ? {} : { DEVMESH_INSTANCES: instances }),
    ...(inspector === undefined ? {} : { DEVMESH_INSPECT: String(inspector) }),
  };
}

async function assertConsul(address: string): Promise<void> {
  const base = address.includes('://') ? address : `http://${address}`;
  try {
    const answer = await fetch(new URL('/v1/status/leader', base), { signal: AbortSignal.timeout(3_000) });
    if (!answer.ok || !(await answer.text()).includes(':'))
      throw new Error(`it answers ${answer.status} and has no leader`);
  } catch (error) {
    const why =
      error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
    throw new DevmeshError(
      'unavailable',
      `no Consul at ${address} (${why}): start one (consul agent -dev), give its address with --consul HOST:PORT, or leave --consul out`,
    );
  }
}
