import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ReviewPool } from '@devmesh/analysis/findings/review-pool';
import { reviewTree, type Review } from '@devmesh/analysis/findings/review-tree';
import { cpuMs, family, rssMb } from '../processes.ts';
import { table } from '../stats.ts';
import { makeTypeScriptTree, seeded } from './typescript-tree.ts';

/*
 * Speed and memory of a review: `node bench/agents/review-speed.ts`, after a build. A TypeScript repository made by seed is reviewed
 * cold, then again, then after 20 of its files were changed; each time by a fresh set of processes, as a service does that was idle.
 */

const { values: options } = parseArgs({
  options: {
    files: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    changed: { type: 'string', default: '20' },
    processes: { type: 'string' },
    alone: { type: 'boolean', default: false },
  },
});

interface Measured {
  readonly review: Review;
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakMb: number;
}

/** A review with its wall time, CPU of all processes and the most memory that they held together. */
async function measure(root: string, pool: ReviewPool | undefined, cacheFolder: string): Promise<Measured> {
  let peakMb = 0;
  const look = (): void => {
    const held = family(process.pid).reduce((sum, pid) => sum + (rssMb(pid) ?? 0), 0);
    peakMb = Math.max(peakMb, held);
  };
  const before = cpuMs([process.pid]);
  const timer = setInterval(look, 50);
  const from = performance.now();
  const result = await reviewTree(root, { cacheFolder, ...(pool ? { pool } : {}) });
  const ms = performance.now() - from;
  look();
  clearInterval(timer);
  pool?.close();
  // What children used is counted in with their parent once they have ended.
  while (family(process.pid).length > 1) await wait(20);
  return { review: result, ms, cpuMs: cpuMs([process.pid]) - before, peakMb };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? filesBelow(path) : [path];
    });
}

const folder = mkdtempSync(join(tmpdir(), 'review-speed-'));
const root = join(folder, 'tree');
const rows: string[][] = [];
const report = (what: string, value: string, aim = ''): void => {
  rows.push([what, value, aim]);
  console.error(`${what}: ${value}`);
};
try {
  const clone = fileURLToPath(new URL('../..', import.meta.url));
  const made = makeTypeScriptTree(clone, root, Number(options.files), Number(options.seed));
  report('files', `${made.files} (${made.real} of packages), ${(made.bytes / 1e6).toFixed(1)} MB, ${made.lines} lines`);
  const cacheFolder = join(folder, 'cache');
  const run = async (what: string, aim: string): Promise<void> => {
    const pool = options.alone
      ? undefined
      : new ReviewPool(options.processes === undefined ? {} : { processes: Number(options.processes) });
    const { review, ms, cpuMs: cpu, peakMb } = await measure(root, pool, cacheFolder);
    report(`${what}: wall`, `${(ms / 1000).toFixed(2)} s`, aim);
    report(`${what}: CPU of all processes`, `${(cpu / 1000).toFixed(1)} s`);
    report(`${what}: RSS of all processes, most`, `${peakMb.toFixed(0)} MB`, 'at most 800 MB');
    report(`${what}: lines a second`, `${Math.round(made.lines / (ms / 1000))}`);
    report(
      `${what}: findings`,
      `${review.findings.length}; ${review.filesReviewed - review.filesFromCache} files looked at, ${review.incomplete.length} not to their end`,
    );
  };
  await run('cold', 'under 20 s');
  await run('again', '');
  const random = seeded(Number(options.seed) + 1);
  const files = filesBelow(root);
  for (let i = 0; i < Number(options.changed); i += 1) {
    const path = files[Math.floor(random() * files.length)] ?? '';
    if (readFileSync(path, 'utf8').includes('added by the change')) continue;
    appendFileSync(
      path,
      `\n/** added by the change ${i} */\nexport const run${i} = (text: string): unknown => eval(text);\n`,
    );
  }
  await run(`${options.changed} files changed`, 'under 2 s');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(table(['figure', 'measured', 'aim'], rows));
