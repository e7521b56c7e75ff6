import { readdir, readFile } from 'node:fs/promises';
import { processMemory } from './processes.js';

/** Memory of a process and everything below it, bytes; Linux alone. */
export async function familyMemory(root: number): Promise<number | null> {
  const parents = new Map<number, number>();
  for (const entry of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(entry)) continue;
    const text = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    const parent = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
    if (Number.isInteger(parent)) parents.set(Number(entry), parent);
  }
  if (parents.size === 0) return null;
  const family = new Set([root]);
  for (let before = 0; before !== family.size;) {
    before = family.size;
    for (const [pid, parent] of parents) if (family.has(parent)) family.add(pid);
  }
  const sizes = await Promise.all([...family].map(processMemory));
  return sizes.reduce<number>((total, size) => total + (size ?? 0), 0);
}
