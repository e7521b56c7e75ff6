import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LastBackup } from '@devmesh/contracts/backup';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import type { Shutdown } from '@devmesh/service-kit/shutdown/shutdown';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { nextBackup } from './nightly.js';

/** A start has better things to do at first, ms. */
const FIRST_MS = 60_000;

/** When one failed, the next try, ms. */
const RETRY_MS = 30 * 60_000;

export interface BackupLifecycleOptions {
  /** Whether this service makes backups; where it does not, a timer of the machine may. */
  readonly nightly: boolean;
  readonly readLast: () => Promise<LastBackup | null>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  readonly shutdown: Pick<Shutdown, 'signal' | 'add'>;
  readonly now: () => Date;
  /** Makes a backup and gives its report; rejects with what went wrong. */
  readonly make?: (signal: AbortSignal) => Promise<string>;
  /** Waits; false when the signal fired first. */
  readonly rest?: (ms: number, signal: AbortSignal) => Promise<boolean>;
}

/** Backs up at night, in a process of its own, from the start of the service to its end; a night that was missed is made up for. */
export class BackupLifecycle implements OnApplicationBootstrap {
  constructor(private readonly options: BackupLifecycleOptions) {}

  onApplicationBootstrap(): void {
    const { nightly, shutdown } = this.options;
    if (!nightly) return;
    const going = this.run(shutdown.signal);
    shutdown.add({ name: 'backup', phase: 'drain', run: () => going });
  }

  private async run(signal: AbortSignal): Promise<void> {
    const { readLast, logger, now, make = inProcess, rest = rested } = this.options;
    let atLeastMs = FIRST_MS;
    for (;;) {
      const last = await readLast();
      const due = nextBackup(last === null ? null : new Date(last.at), now());
      if (!(await rest(Math.max(atLeastMs, due.getTime() - now().getTime()), signal))) return;
      atLeastMs = 1_000;
      try {
        // Somebody may have made one meanwhile.
        const newest = await readLast();
        if (newest !== null && nextBackup(new Date(newest.at), now()) > now()) continue;
        logger.info('made a backup', { report: await make(signal) });
      } catch (error) {
        if (signal.aborted) return;
        logger.warn('a backup failed and is tried again in half an hour', { error });
        atLeastMs = RETRY_MS;
      }
    }
  }
}

/** With this service's own environment, and so its settings and secrets. */
function inProcess(signal: AbortSignal): Promise<string> {
  const program = fileURLToPath(new URL('main.js', import.meta.url));
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program, 'make'], { signal }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim());
      else reject(new Error(stderr.trim() || error.message));
    });
  });
}

function rested(ms: number, signal: AbortSignal): Promise<boolean> {
  return delay(ms, true, { signal, ref: false }).catch(() => false);
}
