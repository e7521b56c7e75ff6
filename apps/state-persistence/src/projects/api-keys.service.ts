import { DevmeshError } from '@devmesh/contracts/errors';
import type { ApiKeyRecord } from '@devmesh/contracts/state-api';
import { databaseError } from '../database/database.js';
import type { ApiKeysRepository } from './api-keys.repository.js';

export interface ApiKeysServiceOptions {
  readonly repository: ApiKeysRepository;
  readonly now: () => number;
  readonly newId: () => string;
}

/** API keys: made by whoever holds the internal token, checked by the gateway. */
export class ApiKeysService {
  constructor(private readonly options: ApiKeysServiceOptions) {}

  /** The same hash again answers the key that is there; in another project it is refused. */
  async create(request: { projectId: string; name: string; hash: string }): Promise<ApiKeyRecord> {
    const { repository, newId, now } = this.options;
    const { projectId, name, hash } = request;
    const key = await repository.create(newId(), projectId, name, hash, now()).catch(rethrow);
    if (key === null) throw new DevmeshError('not_found', `there is no project "${projectId}"`);
    if (key.projectId !== projectId)
      throw new DevmeshError('conflict', 'this key belongs to another project; make a new one');
    return key;
  }

  async verify(hash: string): Promise<ApiKeyRecord> {
    const key = await this.options.repository.findByHash(hash).catch(rethrow);
    if (key === null) throw new DevmeshError('not_found', 'this key is not known');
    return key;
  }
}

function rethrow(error: unknown): never {
  throw databaseError(error);
}
