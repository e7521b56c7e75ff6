import { expect, it } from 'vitest';
import { digest } from '../testing/history.js';
import { digestsIn, digestsInSource } from './named-digests.js';

const D = `a${digest(7).slice(1)}`;

it.each([
  ['plain', `with: { patch: { digest: ${D} } }`],
  ['in a list', `with: { patches: [ "${D}" ] }`],
  ['with an escape', `with: { patch: "\\x${D.charCodeAt(0).toString(16)}${D.slice(1)}" }`],
  ['folded within quotes', `with:\n  patch: "${D.slice(0, 30)}\\\n    ${D.slice(30)}"`],
  ['by an alias', `a: &it ${D}\nwith: { patch: *it }`],
])('finds a digest in a source: %s', (_, source) => {
  expect([...digestsInSource(source)]).toEqual([D]);
});

it('finds none in comments, in longer words, in a source that can not be read', () => {
  expect(digestsInSource(`# ${D}\nname: x${D}`).size).toBe(0);
  expect(digestsInSource(`{ ${D}`).size).toBe(0);
});

it('finds those in keys and values of JSON', () => {
  expect([...digestsIn({ a: [{ [D]: 1 }], b: digest(8) })].sort()).toEqual([D, digest(8)].sort());
});
