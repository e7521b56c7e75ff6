import { createHash } from 'node:crypto';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Digest } from '@devmesh/contracts/ids';
import { LRUCache } from 'lru-cache';
import type { StatePort } from '../upstream/state.port.js';
import type { Caller } from './caller.js';

/** How long an answer of state-persistence about a key is believed, ms. A revoked key works this much longer at most. */
const BELIEVE_MS = 30_000;
const DISBELIEVE_MS = 1_000;
const MAX_KEYS = 10_000;

const KEY_SHAPE = /^dm_[A-Za-z0-9_-]{16,200}$/;

const CURE =
  'send "Authorization: Bearer dm_…" with a key of this mesh; the first one is in the file `api-key` of the data folder';

/**
 * Tells who holds an API key. Only the SHA-256 of a key is ever looked up, compared or kept, so how long an answer takes
 * says nothing about a key, and nothing here could log one.
 */
export class ApiKeyService {
  readonly #known: LRUCache<Digest, Caller>;
  // Apart from the known ones, so that a flood of wrong keys pushes no right one out.
  readonly #unknown: LRUCache<Digest, true>;
  readonly #asking = new Map<Digest, Promise<Caller>>();

  constructor(
    private readonly state: Pick<StatePort, 'verifyApiKey'>,
    now: () => number = () => performance.now(),
  ) {
    // `ttlResolution: 0`: every look reads the clock, instead of a timer that keeps a reading for a while.
    const options = { max: MAX_KEYS, perf: { now }, ttlResolution: 0 };
    this.#known = new LRUCache({ ...options, ttl: BELIEVE_MS });
    this.#unknown = new LRUCache({ ...options, ttl: DISBELIEVE_MS });
  }

  /**
   * The holder of the key in an `Authorization` header. Throws `unauthenticated` with the cure; `unavailable` when nobody
   * can be asked: never a 401 for a key that may be right.
   */
  async authenticate(header: string | undefined): Promise<Caller> {
    if (header === undefined) throw new DevmeshError('unauthenticated', `no API key: ${CURE}`);
    const key = /^Bearer +(\S+) *$/i.exec(header)?.[1];
    if (key === undefined || !KEY_SHAPE.test(key)) {
      throw new DevmeshError('unauthenticated', `that is not an API key of a mesh: ${CURE}`);
    }
    const hash = createHash('sha256').update(key).digest('hex');
    const known = this.#known.get(hash);
    if (known !== undefined) return known;
    if (this.#unknown.has(hash)) throw wrongKey();
    return this.#ask(hash);
  }

  /** Asks once, however many requests with the same key come meanwhile. */
  #ask(hash: Digest): Promise<Caller> {
    const asking = this.#asking.get(hash);
    if (asking !== undefined) return asking;
    const answer = this.#verify(hash).finally(() => this.#asking.delete(hash));
    this.#asking.set(hash, answer);
    return answer;
  }

  async #verify(hash: Digest): Promise<Caller> {
    try {
      const record = await this.state.verifyApiKey(hash);
      const caller = { keyId: record.id, projectId: record.projectId, name: record.name };
      this.#known.set(hash, caller);
      return caller;
    } catch (error) {
      if (!(error instanceof DevmeshError) || error.code !== 'not_found') throw error;
      this.#unknown.set(hash, true);
      throw wrongKey();
    }
  }
}

function wrongKey(): DevmeshError {
  return new DevmeshError('unauthenticated', `this mesh does not know that API key: ${CURE}`);
}
