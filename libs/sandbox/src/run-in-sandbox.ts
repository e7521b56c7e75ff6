import { randomInt } from 'node:crypto';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bubblewrapArgs, INSIDE } from './bubblewrap.js';
import { findBubblewrap } from './find-bubblewrap.js';
import { Keeper } from './keeper.js';
import { DEFAULT_LIMITS, type SandboxLimits, type SandboxOutcome } from './outcome.js';

export interface SandboxJob {
  /** Program and arguments; found on the PATH of the inside, which has the machine's /usr and a Node.js. No shell, unless it is one. */
  readonly command: readonly string[];
  /** Absolute. What the command sees and may change is a copy, which is gone afterwards. Links in it are copied, not followed. */
  readonly folder: string;
  /** Below `folder`, where the command starts; its root when left out. */
  readonly within?: string;
  /** Variables for the command. It has none of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly limits?: Partial<SandboxLimits>;
  readonly signal?: AbortSignal;
}

/** Users that a system hands out for a time, each to one service. */
const PASSING_USERS = [61_184, 65_520] as const;

/**
 * Runs a command on a copy of a folder: no network but a loopback of its own, no file of the machine but programs and libraries, no
 * variable of this process, no power, limits on all it can use. Nothing of it outlives the call, nor this process. Rejects with the
 * signal's reason; whatever else happens is an outcome. `uid`: whose its processes are, null for a namespace of the caller's own; root needs
 * the former, since the kernel does not count the processes of root.
 */
export async function runInSandbox(job: SandboxJob, uid = passingUser()): Promise<SandboxOutcome> {
  job.signal?.throwIfAborted();
  const bwrap = await findBubblewrap();
  if (typeof bwrap !== 'string') return bwrap;
  const limits = { ...DEFAULT_LIMITS, ...job.limits };
  const accounts = await mkdtemp(join(tmpdir(), 'devmesh-sandbox-'));
  try {
    await writeAccounts(accounts, uid ?? 65_534);
    const args = await bubblewrapArgs({
      folder: await realpath(job.folder),
      within: job.within ?? '.',
      command: job.command,
      limits,
      env: job.env ?? {},
      node: await realpath(process.execPath),
      accounts,
      uid,
    });
    return await new Keeper(bwrap, args, limits).ended(job.signal);
  } finally {
    await rm(accounts, { recursive: true, force: true });
  }
}

function passingUser(): number | null {
  return process.getuid?.() === 0 ? randomInt(...PASSING_USERS) : null;
}

async function writeAccounts(folder: string, uid: number): Promise<void> {
  await writeFile(join(folder, 'passwd'), `sandbox:x:${uid}:${uid}::${INSIDE.home}:/bin/sh\n`);
  await writeFile(join(folder, 'group'), `sandbox:x:${uid}:\n`);
  await writeFile(join(folder, 'hosts'), '127.0.0.1 localhost\n::1 localhost\n');
}
