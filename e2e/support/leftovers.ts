import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Devmesh } from './devmesh.js';

export interface FoundProcess {
  readonly pid: number;
  readonly command: string;
}

/** What belongs to a mesh that is up: its supervisor, services, and the database with its workers. */
const OF_THE_MESH = /supervisor\/main\.js|apps\/[a-z-]+\/dist\/main\.js|^postgres: |bin\/postgres /;

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

function workingFolder(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

/** Every process of this machine whose arguments, environment or working folder name `folder`; zombies aside. */
export function processesOf(folder: string): FoundProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid)
    .flatMap((pid) => {
      const command = read(pid, 'cmdline');
      const named = [command, read(pid, 'environ'), workingFolder(pid)].some((text) => text.includes(folder));
      return named && command !== '' ? [{ pid, command }] : [];
    });
}

/** Processes that a mesh started and that are none of its own: there should be none when no step is running. */
export function strayProcesses({ folder }: Devmesh): string[] {
  return processesOf(folder)
    .map(({ command }) => command)
    .filter((command) => !OF_THE_MESH.test(command));
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** Files that should have gone with the work that needed them: in the temporary folder, and the data folder's own places for such. */
export function temporaryFiles({ temp, home }: Devmesh): string[] {
  const agents = entries(join(home, 'agents'));
  return [
    ...entries(temp),
    ...entries(join(home, 'cache')).filter((path) => !path.endsWith('/node')),
    ...agents.flatMap((agent) => ['tmp', 'work'].flatMap((name) => entries(join(agent, 'repositories', name)))),
    ...entries(join(home, 'artifacts', 'incoming')),
    ...entries(join(home, 'gateway', 'clones')),
  ];
}
