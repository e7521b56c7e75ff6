import type { TestProject } from 'vitest/node';
import { startPostgres } from './postgres.js';

/**
 * Starts PostgreSQL once per test run; tests take it with `inject('postgresUrl')` and make databases of their own with
 * `createDatabase`. Signals that end the run stop the server too; after a SIGKILL the next run cleans up.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres();
  project.provide('postgresUrl', server.url);
  const stop = (signal: NodeJS.Signals): void => {
    void server.stop().finally(() => process.kill(process.pid, signal));
  };
  process.once('SIGTERM', stop);
  process.once('SIGHUP', stop);
  return async () => {
    process.off('SIGTERM', stop);
    process.off('SIGHUP', stop);
    await server.stop();
  };
}
