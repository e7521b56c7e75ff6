import { createHash } from 'node:crypto';
import { canonicalJson } from '@devmesh/contracts/canonical-json';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { databaseError } from '../database/database.js';
import type { WorkflowsRepository } from './workflows.repository.js';

/** Definitions, addressed by the SHA-256 of their canonical JSON. */
export class WorkflowsService {
  constructor(
    private readonly repository: WorkflowsRepository,
    private readonly now: () => number,
  ) {}

  async put(digest: string, definition: WorkflowDefinition): Promise<void> {
    const actual = createHash('sha256').update(canonicalJson(definition)).digest('hex');
    if (actual !== digest) {
      throw new DevmeshError(
        'invalid_request',
        `the workflow has digest ${actual}, not ${digest}; hash its canonical JSON`,
      );
    }
    await this.repository.put(digest, definition, this.now()).catch(rethrow);
  }

  async get(digest: string): Promise<WorkflowDefinition> {
    const definition = await this.repository.find(digest).catch(rethrow);
    if (definition === null) throw new DevmeshError('not_found', `there is no workflow with digest ${digest}`);
    return definition;
  }
}

function rethrow(error: unknown): never {
  throw databaseError(error);
}
