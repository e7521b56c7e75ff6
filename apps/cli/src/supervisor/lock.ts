import type { DatabaseSync } from 'node:sqlite';

/** Held until `release`, or until the process ends, however it ends. */
export interface HeldLock {
  release(): void;
}

/**
 * Takes the lock of a data folder, or gives null when another process holds it. It is SQLite's file lock: node has no other
 * lock that the kernel lets go of when its process is killed, and a lock file with a process id in it can go stale.
 */
export async function takeLock(file: string): Promise<HeldLock | null> {
  // Loaded here: only the supervisor needs it, and it announces itself as experimental.
  const { DatabaseSync: Database } = await import('node:sqlite');
  const database: DatabaseSync = new Database(file, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked|busy/i.test(error.message)) return null;
    throw error;
  }
  return { release: () => database.close() };
}
