import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A process beyond doubt: its id alone may have been given to another since. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The system's own word for when it began. */
  readonly started: string;
}

export interface RecordedProcess extends ProcessIdentity {
  readonly name: string;
}

/** Fields of /proc/PID/stat after the name, which may itself hold spaces and brackets. */
function statFields(text: string): string[] {
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** When a process began; null when it is gone (or a zombie, which holds nothing any more). */
export async function processStart(pid: number): Promise<string | null> {
  try {
    const fields = statFields(await readFile(`/proc/${pid}/stat`, 'utf8'));
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    if (process.platform === 'linux') return null;
  }
  try {
    const { stdout } = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
    const text = stdout.trim();
    return text === '' || text.startsWith('Z') ? null : text.replace(/^\S+\s+/, '');
  } catch {
    return null;
  }
}

/** Whether that very process is still there. */
export async function isAlive(process: ProcessIdentity): Promise<boolean> {
  const started = await processStart(process.pid);
  return started !== null && process.started === started;
}

/** The command line of a process, for people. */
export async function readCommand(pid: number): Promise<string | null> {
  try {
    const text = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
    return text === '' ? null : text;
  } catch {
    try {
      return (await run('ps', ['-o', 'command=', '-p', String(pid)])).stdout.trim() || null;
    } catch {
      return null;
    }
  }
}

/** Bytes of memory that a process costs: its proportional share on Linux (PSS), else its resident set. Null when unknown. */
export async function processMemory(pid: number): Promise<number | null> {
  try {
    const kib = /^Pss:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    if (kib !== undefined) return Number(kib) * 1024;
  } catch {
    // Not Linux, or not ours.
  }
  try {
    const kib = Number((await run('ps', ['-o', 'rss=', '-p', String(pid)])).stdout.trim());
    return Number.isFinite(kib) && kib > 0 ? kib * 1024 : null;
  } catch {
    return null;
  }
}

/** Sends a signal to a process, or with a negative id to its group. False when it is gone or not ours. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/**
 * What runs for one data folder, on file, so that leftovers can be told from strangers later. Written at each start of a
 * process, before anything waits for it.
 */
export class ProcessTable {
  readonly #file: string;
  readonly #rows = new Map<string, RecordedProcess>();

  constructor(file: string) {
    this.#file = file;
  }

  add(name: string, pid: number): void {
    // Read synchronously: between a start and its record there must be no turn of the event loop.
    let started: string;
    try {
      started =
        process.platform === 'linux'
          ? (statFields(readFileSync(`/proc/${pid}/stat`, 'utf8'))[19] ?? '')
          : execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    } catch {
      // Gone already.
      return;
    }
    this.#rows.set(name, { name, pid, started });
    this.#write();
  }

  remove(name: string): void {
    if (this.#rows.delete(name)) this.#write();
  }

  clear(): void {
    this.#rows.clear();
    rmSync(this.#file, { force: true });
  }

  #write(): void {
    const next = `${this.#file}.new`;
    writeFileSync(next, JSON.stringify([...this.#rows.values()]), { mode: 0o600 });
    renameSync(next, this.#file);
  }
}

/** The rows of a table whose processes are still there. */
export async function livingProcesses(file: string): Promise<RecordedProcess[]> {
  let rows: RecordedProcess[];
  try {
    rows = JSON.parse(await readFile(file, 'utf8')) as RecordedProcess[];
  } catch {
    return [];
  }
  const alive = await Promise.all(rows.map(isAlive));
  return rows.filter((_, i) => alive[i]);
}

/** Ends processes and waits until they are gone: politely first, by force after `graceMs`. Gives those that are left. */
export async function endProcesses(processes: readonly RecordedProcess[], graceMs: number): Promise<RecordedProcess[]> {
  let left = [...processes];
  for (const [name, waitMs] of [['SIGTERM', graceMs] as const, ['SIGKILL', 2_000] as const]) {
    for (const { pid } of left) signal(pid, name);
    const deadline = Date.now() + waitMs;
    while (left.length > 0 && Date.now() < deadline) {
      const alive = await Promise.all(left.map(isAlive));
      left = left.filter((_, i) => alive[i]);
      if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return left;
}
