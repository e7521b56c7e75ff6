import { readdir, readFile, readlink, realpath, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { endProcesses, processStart, readCommand, signal, isAlive, type RecordedProcess } from '../processes.js';

/**
 * The processes of a PostgreSQL server that work on `dataDir`: each of them has it as its working folder. Where the system
 * can't tell working folders, the server named in `postmaster.pid`, if it was started for this very folder.
 */
export async function serversOn(dataDir: string): Promise<RecordedProcess[]> {
  const folder = await realpath(dataDir).catch(() => null);
  if (folder === null) return [];
  const found: RecordedProcess[] = [];
  if (process.platform === 'linux') {
    for (const entry of await readdir('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      // The folders of processes that are not ours can't be read, and are not ours to end.
      if ((await readlink(`/proc/${entry}/cwd`).catch(() => '')) !== folder) continue;
      if (basename(await readlink(`/proc/${entry}/exe`).catch(() => '')).replace(/ \(deleted\)$/, '') !== 'postgres')
        continue;
      const started = await processStart(Number(entry));
      if (started !== null) found.push({ name: 'postgres', pid: Number(entry), started });
    }
    return found;
  }
  const pid = Number((await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0]);
  const started = Number.isInteger(pid) && pid > 1 ? await processStart(pid) : null;
  const command = started === null ? null : await readCommand(pid);
  if (started !== null && command !== null && command.includes('postgres') && command.includes(dataDir))
    found.push({ name: 'postgres', pid, started });
  return found;
}

async function allGone(processes: readonly RecordedProcess[], withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const alive = await Promise.all(processes.map(isAlive));
    if (!alive.includes(true)) return true;
    if (Date.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Ends a server that a killed supervisor left on `dataDir`, and removes its `postmaster.pid`, which after a restart of the
 * machine may name somebody else's process. Only called by the holder of the folder's lock, so no living mesh uses it.
 * Gives the number of processes that it had to end.
 */
export async function clearStaleServer(dataDir: string): Promise<number> {
  const left = await serversOn(dataDir);
  if (left.length > 0) {
    for (const { pid } of left) signal(pid, 'SIGINT');
    if (!(await allGone(left, 3_000))) {
      for (const { pid } of left) signal(pid, 'SIGQUIT');
      if (!(await allGone(left, 2_000))) await endProcesses(await serversOn(dataDir), 0);
    }
  }
  await rm(join(dataDir, 'postmaster.pid'), { force: true });
  return left.length;
}
