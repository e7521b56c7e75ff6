import { createHash } from 'node:crypto';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { ApiKeyRecord } from '@devmesh/contracts/state-api';
import { describe, expect, it } from 'vitest';
import { ApiKeyService } from './api-key.service.js';

const KEY = `dm_${'k'.repeat(32)}`;
const HEADER = `Bearer ${KEY}`;
const RECORD: ApiKeyRecord = { id: 'key-1', projectId: 'alpha', name: 'ci', createdAt: '2026-01-01T00:00:00.000Z' };

/** A state that knows what it is told to know, and counts who asks. */
class ScriptedState {
  readonly asked: string[] = [];
  readonly records = new Map<string, ApiKeyRecord>();
  down = false;

  know(key: string, record: ApiKeyRecord): this {
    this.records.set(createHash('sha256').update(key).digest('hex'), record);
    return this;
  }

  async verifyApiKey(hash: string): Promise<ApiKeyRecord> {
    this.asked.push(hash);
    if (this.down) throw new DevmeshError('unavailable', 'state-persistence does not answer');
    const record = this.records.get(hash);
    if (record === undefined) throw new DevmeshError('not_found', 'no such key');
    return record;
  }
}

function service(state: ScriptedState): { keys: ApiKeyService; pass(ms: number): void } {
  // Not 0: the cache takes that for "no time yet".
  let now = 1_000;
  return { keys: new ApiKeyService(state, () => now), pass: (ms) => (now += ms) };
}

describe('ApiKeyService', () => {
  it('tells who holds a key, and sends its hash alone', async () => {
    const state = new ScriptedState().know(KEY, RECORD);
    expect(await service(state).keys.authenticate(HEADER)).toEqual({ keyId: 'key-1', projectId: 'alpha', name: 'ci' });
    expect(state.asked).toEqual([createHash('sha256').update(KEY).digest('hex')]);
  });

  it.each([['bearer'], ['BEARER']])('takes the scheme as %s', async (scheme) => {
    const { keys } = service(new ScriptedState().know(KEY, RECORD));
    expect(await keys.authenticate(`${scheme} ${KEY}`)).toMatchObject({ projectId: 'alpha' });
  });

  it('believes a right key for 30 s and not longer', async () => {
    const state = new ScriptedState().know(KEY, RECORD);
    const { keys, pass } = service(state);
    await keys.authenticate(HEADER);
    state.records.clear();
    pass(29_999);
    expect(await keys.authenticate(HEADER)).toMatchObject({ projectId: 'alpha' });
    pass(2);
    await expect(keys.authenticate(HEADER)).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(state.asked).toHaveLength(2);
  });

  it('disbelieves a wrong key for 1 s and not longer', async () => {
    const state = new ScriptedState();
    const { keys, pass } = service(state);
    await expect(keys.authenticate(HEADER)).rejects.toMatchObject({ code: 'unauthenticated' });
    state.know(KEY, RECORD);
    pass(999);
    await expect(keys.authenticate(HEADER)).rejects.toMatchObject({ code: 'unauthenticated' });
    pass(2);
    expect(await keys.authenticate(HEADER)).toMatchObject({ projectId: 'alpha' });
    expect(state.asked).toHaveLength(2);
  });

  it('asks once for many requests at a time', async () => {
    const state = new ScriptedState().know(KEY, RECORD);
    const { keys } = service(state);
    await Promise.all(Array.from({ length: 20 }, () => keys.authenticate(HEADER)));
    expect(state.asked).toHaveLength(1);
  });

  it('keeps right keys through a flood of wrong ones', async () => {
    const state = new ScriptedState().know(KEY, RECORD);
    const { keys } = service(state);
    await keys.authenticate(HEADER);
    for (let i = 0; i < 10_500; i++) await keys.authenticate(`Bearer dm_${String(i).padStart(20, '0')}`).catch(() => 0);
    state.asked.length = 0;
    await keys.authenticate(HEADER);
    expect(state.asked).toEqual([]);
  });

  it('does not call a key wrong that nobody could check, and asks again', async () => {
    const state = new ScriptedState().know(KEY, RECORD);
    const { keys } = service(state);
    state.down = true;
    await expect(keys.authenticate(HEADER)).rejects.toMatchObject({ code: 'unavailable' });
    state.down = false;
    expect(await keys.authenticate(HEADER)).toMatchObject({ projectId: 'alpha' });
  });

  it.each([
    [undefined],
    [''],
    [KEY],
    [`Basic ${KEY}`],
    ['Bearer'],
    ['Bearer sk-something-else-altogether'],
    [`Bearer dm_short`],
    [`Bearer dm_${'k'.repeat(300)}`],
    [`${HEADER}, ${HEADER}`],
  ])('refuses %j without asking, and names the cure', async (header) => {
    const state = new ScriptedState();
    const error = await service(state)
      .keys.authenticate(header)
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'unauthenticated' });
    expect(String(error)).toContain('Authorization: Bearer dm_');
    expect(String(error)).not.toContain('kkk');
    expect(state.asked).toEqual([]);
  });
});
