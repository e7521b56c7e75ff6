import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { DevmeshError } from '@devmesh/contracts/errors';
import { readCommand } from './processes.js';

/** Whether a port of that address can be bound now. */
export async function portIsFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** A port that was free a moment ago. */
export async function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

export interface PortHolder {
  readonly pid: number;
  readonly command: string;
}

/** Who listens on a port, as far as this user may see; Linux alone. */
export async function portHolder(port: number): Promise<PortHolder | null> {
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'utf8').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      // 0A: listening. The local address is hex, as ADDRESS:PORT.
      if (fields[3] === '0A' && Number.parseInt(fields[1]?.split(':')[1] ?? '', 16) === port && fields[9] !== undefined)
        inodes.add(`socket:[${fields[9]}]`);
    }
  }
  if (inodes.size === 0) return null;
  for (const entry of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(entry)) continue;
    for (const fd of await readdir(`/proc/${entry}/fd`).catch(() => [])) {
      if (inodes.has(await readlink(`/proc/${entry}/fd/${fd}`).catch(() => ''))) {
        return { pid: Number(entry), command: (await readCommand(Number(entry))) ?? 'unknown' };
      }
    }
  }
  return null;
}

/** A base from which `count` ports in a row are free, or null; looks from `from` upwards in steps of 100. */
export async function findPortBase(from: number, count: number, host: string): Promise<number | null> {
  for (let base = from; base + count <= 65_536 && base <= from + 5_000; base += 100) {
    let free = true;
    for (let i = 0; i < count && free; i++) free = await portIsFree(base + i, host);
    if (free) return base;
  }
  return null;
}

export interface NamedPort {
  readonly name: string;
  readonly port: number;
}

/** Taken ports of which the holder is told too: nine holders are more than anybody reads. */
const TOLD = 2;
/** Characters of a holder's command line; its end says what it runs. */
const COMMAND_SHOWN = 80;

/** As `assertPortsFree`, for inspectors: node itself would only log a port that is taken, and run without. */
export async function assertInspectorsFree(ports: readonly NamedPort[]): Promise<void> {
  const [first] = ports;
  if (first === undefined) return;
  const host = '127.0.0.1';
  for (const { name, port } of ports) {
    if (await portIsFree(port, host)) continue;
    const base = await findPortBase(first.port + 100, ports.length, host);
    const cure = `stop what holds it${base === null ? '' : `, or choose other ports with --inspect ${base}`}`;
    throw new DevmeshError(
      'conflict',
      `${await tell({ name: `the inspector of ${name}`, port }, host)} is taken: ${cure}`,
    );
  }
}

/** Refuses ports that somebody else holds, naming each, the holder of the first where that can be told, and a base that would do. */
export async function assertPortsFree(ports: readonly NamedPort[], host: string, portBase: number): Promise<void> {
  const taken: NamedPort[] = [];
  for (const port of ports) if (!(await portIsFree(port.port, host))) taken.push(port);
  if (taken.length === 0) return;
  const told = await Promise.all(taken.slice(0, TOLD).map((port) => tell(port, host)));
  const rest = taken.slice(TOLD).map(({ port }) => port);
  if (rest.length > 0) told.push(`${rest.length} more (${rest.join(', ')})`);
  const base = await findPortBase(portBase + 100, ports.length, host);
  const cure =
    base === null
      ? 'stop what holds them'
      : `stop what holds ${taken.length === 1 ? 'it' : 'them'}, or choose other ports with --port-base ${base}`;
  throw new DevmeshError('conflict', `${told.join('; ')} ${taken.length === 1 ? 'is' : 'are'} taken: ${cure}`);
}

async function tell({ name, port }: NamedPort, host: string): Promise<string> {
  const holder = await portHolder(port);
  if (holder === null) return `port ${port} on ${host} (for ${name})`;
  const { pid, command } = holder;
  const shown = command.length <= COMMAND_SHOWN ? command : `…${command.slice(-COMMAND_SHOWN)}`;
  return `port ${port} on ${host} (for ${name}, held by process ${pid}: ${shown.trim()})`;
}
