import type { Json } from './json.js';

/**
 * JSON in its one canonical form (RFC 8785, JCS): no white space, members sorted by the UTF-16 code units of their
 * names, numbers and strings as ECMAScript writes them. Equal values give equal text, so its SHA-256 names the value.
 *
 * Members whose value is `undefined` are left out, as `JSON.stringify` does. Throws `TypeError` for what JSON can't
 * hold and what has no agreed form: NaN, infinities, functions, lone surrogates, `undefined` in an array.
 */
export function canonicalJson(value: Json | CanonicalObject): string {
  return write(value);
}

/** A JSON object that may have optional members. */
export interface CanonicalObject {
  readonly [name: string]: unknown;
}

function write(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return writeString(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON form`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${members.map(([name, member]) => `${writeString(name)}:${write(member)}`).join(',')}}`;
  }
  throw new TypeError(`a value of type ${typeof value} has no JSON form`);
}

function writeString(text: string): string {
  // I-JSON forbids lone surrogates; JSON.stringify would write them as escapes that other implementations refuse.
  if (!text.isWellFormed()) throw new TypeError('a string with a lone surrogate has no canonical JSON form');
  return JSON.stringify(text);
}
