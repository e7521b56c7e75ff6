import { DevmeshError } from '@devmesh/contracts/errors';
import { ask } from './http-probe.js';
import { sha256 } from './secrets.js';

/** Makes the mesh know the API key of the data folder, by its hash alone. Idempotent. */
export async function registerApiKey(stateUrl: string, internalToken: string, apiKey: string): Promise<void> {
  const hash = sha256(apiKey);
  const post = async (path: string, body: unknown): Promise<number> => {
    const answer = await ask(`${stateUrl}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${internalToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      timeoutMs: 10_000,
    });
    return answer.status;
  };
  const known = await post('/v1/api-keys/verify', { hash });
  if (known === 200 || known === 201) return;
  const made = await post('/v1/api-keys', { projectId: 'default', name: 'local', hash });
  if (made >= 400) {
    throw new DevmeshError(
      'bad_reply',
      `state-persistence did not take the mesh's API key (it answered ${made}): see ./devmesh logs state-persistence`,
    );
  }
}
