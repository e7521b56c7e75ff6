import type { ApiKeyRecord } from '@devmesh/contracts/state-api';
import { instant, type Database } from '../database/database.js';

interface KeyRow {
  readonly id: string;
  readonly project_id: string;
  readonly name: string;
  readonly created_at: Date;
}

/** API keys by their hash. */
export class ApiKeysRepository {
  constructor(private readonly db: Database) {}

  /** Stores a key; null when the project is not there, the known one when the hash is. */
  async create(id: string, projectId: string, name: string, hash: string, now: number): Promise<ApiKeyRecord | null> {
    const [row] = await this.db.write<KeyRow>({
      name: 'create-api-key',
      text: `insert into api_keys as k (id, project_id, name, hash, created_at)
        select $1::uuid, p.id, $3::text, $4::text, $5::timestamptz from projects p where p.id = $2::text
        on conflict (hash) do update set name = k.name
        returning id, project_id, name, created_at`,
      values: [id, projectId, name, hash, instant(now)],
    });
    return row === undefined ? null : record(row);
  }

  async findByHash(hash: string): Promise<ApiKeyRecord | null> {
    const [row] = await this.db.read<KeyRow>({
      name: 'find-api-key',
      text: 'select id, project_id, name, created_at from api_keys where hash = $1::text',
      values: [hash],
    });
    return row === undefined ? null : record(row);
  }
}

function record(row: KeyRow): ApiKeyRecord {
  return { id: row.id, projectId: row.project_id, name: row.name, createdAt: row.created_at.toISOString() };
}
