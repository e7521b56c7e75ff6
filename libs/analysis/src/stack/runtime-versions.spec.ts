import { describe, expect, it } from 'vitest';
import { satisfies } from './runtime-versions.js';

describe('ranges', () => {
  it.each([
    ['>=20', '24', true],
    ['>=20.11.0', '20', true],
    ['^20.1', '24', false],
    ['^20.1', '20', true],
    ['>= 18 < 23', '24', false],
    ['18 || 22', '22', true],
    ['18 - 22', '22', true],
    ['20.x', '20', true],
    ['20.x', '22', false],
    ['*', '24', true],
    ['>20', '22', true],
    ['<24', '24', false],
    ['>=3.11,<3.13', '3.13', false],
    ['>=3.11,<3.13', '3.12', true],
    ['^3.11', '3.13', true],
    ['~3.11', '3.12', false],
    ['~=3.10', '3.13', true],
    ['==3.12.*', '3.12', true],
    ['!=3.12', '3.12', false],
    ['>=3.10,<4', '3.13', true],
    ['lts/*', '24', false],
  ])('%s admits %s: %s', (range, version, admitted) => {
    expect(satisfies(range, version)).toBe(admitted);
  });
});
