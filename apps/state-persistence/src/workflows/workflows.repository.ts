import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { instant, type Database } from '../database/database.js';

/** Definitions by digest. */
export class WorkflowsRepository {
  constructor(private readonly db: Database) {}

  /** Stores a definition; one that is there already stays. */
  async put(digest: string, definition: WorkflowDefinition, now: number): Promise<void> {
    await this.db.write({
      name: 'put-workflow',
      text: `insert into workflows (digest, name, definition, created_at)
        values ($1::text, $2::text, $3::json, $4::timestamptz) on conflict (digest) do nothing`,
      values: [digest, definition.name, JSON.stringify(definition), instant(now)],
    });
  }

  async find(digest: string): Promise<WorkflowDefinition | null> {
    const [row] = await this.db.read<{ definition: WorkflowDefinition }>({
      name: 'find-workflow',
      text: 'select definition from workflows where digest = $1::text',
      values: [digest],
    });
    return row?.definition ?? null;
  }
}
