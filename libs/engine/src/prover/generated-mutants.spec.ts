import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generatedMutants } from './generated-mutants.js';

describe('the generated mutants', () => {
  it('are the committed ones: a port, a call or an event that is added brings its own', () => {
    const committed: unknown = JSON.parse(readFileSync(new URL('generated-mutants.json', import.meta.url), 'utf8'));
    expect(generatedMutants().map(({ name, about }) => ({ name, about }))).toEqual(committed);
  });
});
