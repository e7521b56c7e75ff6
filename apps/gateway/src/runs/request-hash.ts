import { createHash } from 'node:crypto';
import { canonicalJson, type CanonicalObject } from '@devmesh/contracts/canonical-json';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Digest } from '@devmesh/contracts/ids';

/**
 * What makes two requests with the same `Idempotency-Key` the same request: SHA-256 of the canonical JSON (RFC 8785) of
 * the validated body. White space, order of members and spelled-out defaults make no difference.
 */
export function requestHash(body: CanonicalObject): Digest {
  return createHash('sha256').update(canonical(body)).digest('hex');
}

function canonical(body: CanonicalObject): string {
  try {
    return canonicalJson(body);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'it has no canonical form';
    throw new DevmeshError('invalid_request', `request body is not valid: ${reason}`, { cause });
  }
}

const KEY_SHAPE = /^[\x21-\x7e]{1,255}$/;

/** The `Idempotency-Key` of a request, or null when it has none. Throws `invalid_request` for one of another shape. */
export function idempotencyKey(header: string | undefined): string | null {
  if (header === undefined) return null;
  if (KEY_SHAPE.test(header)) return header;
  throw new DevmeshError(
    'invalid_request',
    'the Idempotency-Key header has 1 to 255 visible ASCII characters, for example a UUID',
  );
}
