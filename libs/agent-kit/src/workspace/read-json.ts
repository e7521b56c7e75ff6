import type { ArtifactRef } from '@devmesh/contracts/artifact';
import { DevmeshError, parseOrThrow } from '@devmesh/contracts/errors';
import type { z } from 'zod';
import type { ActionContext } from '../action-context.js';

/** The content of a JSON artifact, checked. Throws `invalid_input` with the words of `what` for anything else. */
export async function readJson<S extends z.ZodType>(
  artifacts: Pick<ActionContext<unknown>['artifacts'], 'get'>,
  ref: Pick<ArtifactRef, 'digest'>,
  schema: S,
  what: string,
): Promise<z.output<S>> {
  const bytes = await artifacts.get(ref);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new DevmeshError('invalid_input', `${what} ${ref.digest} is not JSON`, { cause });
  }
  return parseOrThrow(schema, value, `${what} ${ref.digest}`, 'invalid_input');
}
