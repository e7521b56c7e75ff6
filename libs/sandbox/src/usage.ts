import { readdirSync, readFileSync, statfsSync } from 'node:fs';

/** What a process and all that came from it use. */
export interface Usage {
  /** Itself first. */
  readonly pids: readonly number[];
  /** Bytes of their own; what lies in files is not among it. */
  readonly memoryBytes: number;
  /** Of those that live and of those that they outlived. */
  readonly cpuSeconds: number;
}

interface Stat {
  readonly parent: number;
  readonly ticks: number;
}

/** Ticks of processor time are hundredths of a second on every Linux (USER_HZ). */
const TICKS = 100;

/**
 * The usage of `root` and of its descendants. Nobody leaves them: what loses its parent gets the first of its namespace. Read at once, in a
 * few milliseconds: through the pool of threads it would take several times as long, and a hog is fast.
 */
export function usageOf(root: number): Usage {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(name) : undefined;
    if (stat) stats.set(Number(name), stat);
  }
  const family = familyOf(root, stats);
  return {
    pids: family,
    memoryBytes: family.reduce((sum, pid) => sum + memoryOf(pid), 0),
    cpuSeconds: family.reduce((sum, pid) => sum + (stats.get(pid)?.ticks ?? 0), 0) / TICKS,
  };
}

function familyOf(root: number, stats: ReadonlyMap<number, Stat>): number[] {
  const children = new Map<number, number[]>();
  for (const [pid, { parent }] of stats) {
    const siblings = children.get(parent);
    if (siblings) siblings.push(pid);
    else children.set(parent, [pid]);
  }
  const family = stats.has(root) ? [root] : [];
  // Grows while it is gone through.
  for (const pid of family) family.push(...(children.get(pid) ?? []));
  return family;
}

function statOf(pid: string): Stat | undefined {
  const text = contentOf(`/proc/${pid}/stat`);
  // The name, in parentheses, may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 15) return undefined;
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { parent: Number(fields[1]), ticks };
}

function memoryOf(pid: number): number {
  const text = contentOf(`/proc/${pid}/status`);
  return [...text.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB/gm)].reduce((sum, [, kib]) => sum + Number(kib) * 1024, 0);
}

/** Memory that the machine could still give, as a share of all; 1 where it can't be told. */
export function memoryLeft(): number {
  const text = contentOf('/proc/meminfo');
  const [total, available] = ['MemTotal', 'MemAvailable'].map((name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]),
  );
  return total && available !== undefined && !Number.isNaN(available) ? available / total : 1;
}

/** Files of a file system that a process sees; 0 where it can't be told. */
export function filesAt(pid: number, path: string): number {
  try {
    const { files, ffree } = statfsSync(`/proc/${pid}/root${path}`);
    return files - ffree;
  } catch {
    return 0;
  }
}

/** Empty for a process that has gone meanwhile. */
function contentOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
