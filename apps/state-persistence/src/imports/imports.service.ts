import { DevmeshError } from '@devmesh/contracts/errors';
import type { ImportRun } from '@devmesh/contracts/run-export';
import { databaseError } from '../database/database.js';
import type { ImportsRepository } from './imports.repository.js';

/** Runs that come whole from elsewhere: over, never due, and only read from here on. */
export class ImportsService {
  constructor(private readonly repository: ImportsRepository) {}

  async import(run: ImportRun): Promise<{ runId: string }> {
    const made = await this.repository.insert(run).catch((error: unknown) => {
      throw databaseError(error);
    });
    if (made) return { runId: run.runId };
    throw new DevmeshError('not_found', `there is no project ${run.projectId}, or no workflow ${run.workflow.digest}`);
  }
}
