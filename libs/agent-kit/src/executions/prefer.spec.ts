import { expect, it } from 'vitest';
import { parsePreferWait } from './prefer.js';

it.each([
  ['wait=5', 5000],
  ['respond-async, wait=10', 10_000],
  ['Wait = 3', 3000],
  ['wait="2"', 2000],
  ['wait=0.5', 500],
  ['wait=5; x=y', 5000],
  ['wait=-1', 0],
  ['wait=soon', 0],
  ['await=5', 0],
  ['', 0],
  [undefined, 0],
])('reads %j as %d ms', (header, ms) => {
  expect(parsePreferWait(header)).toBe(ms);
});
