import { performance } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { searchSecrets } from './search.js';

test('finds a credential by its form, and keeps nothing of what it searched', async () => {
  const token = `ghp_${'a1B2c3D4'.repeat(4)}e5F6`;
  const [hit, ...more] = await searchSecrets('a.ts', `const token = '${token}';\n`);
  expect(more).toEqual([]);
  expect(hit).toMatchObject({ start: 15, end: 15 + token.length });
  expect(JSON.stringify(hit)).not.toContain(token);
  expect(performance.getEntries().filter(({ name }) => name.includes('@secretlint'))).toEqual([]);
});
