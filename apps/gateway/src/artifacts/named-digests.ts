import type { Digest } from '@devmesh/contracts/ids';
import { parse } from 'yaml';

const DIGEST = /^[0-9a-f]{64}$/;

/** The strings in a value that read as digests, keys too. A digest is never put together from parts: a reference stands for a whole value. */
export function digestsIn(value: unknown, found = new Set<Digest>()): Set<Digest> {
  if (typeof value === 'string') {
    if (DIGEST.test(value)) found.add(value);
  } else if (Array.isArray(value)) {
    for (const item of value) digestsIn(item, found);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      digestsIn(key, found);
      digestsIn(item, found);
    }
  }
  return found;
}

/** Those of a workflow's source; none of one that can't be read, which its submit refuses. */
export function digestsInSource(source: string): Set<Digest> {
  // Most name none, and are not parsed here: a digest is there in full, or with an escape in a quoted string.
  if (!/[0-9a-f]{64}|\\/.test(source)) return new Set();
  try {
    return digestsIn(parse(source, { uniqueKeys: false }));
  } catch {
    return new Set();
  }
}
