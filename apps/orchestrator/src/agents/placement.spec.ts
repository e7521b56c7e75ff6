import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readPlacement } from './placement.js';

const folder = mkdtempSync(join(tmpdir(), 'placement-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string) {
  const file = join(folder, 'placement.yaml');
  writeFileSync(file, text);
  return readPlacement(file);
}

describe('the placement of agents that live elsewhere', () => {
  it('adds their actions to the shipped ones', () => {
    const { catalogue, addresses } = read(
      'agents:\n  - name: lint\n    addresses: [http://127.0.0.1:9/]\n    actions: [{ id: lint/run, default: true, effects: once }]\n',
    );
    expect(catalogue.get('lint/run')).toMatchObject({ isDefault: true, effects: 'once' });
    expect(catalogue.has('code-review/review')).toBe(true);
    expect(addresses.get('lint')).toEqual(['http://127.0.0.1:9']);
  });

  it.each([
    [
      'a shipped service',
      'agents: [{ name: cicd, addresses: ["http://x"], actions: [{ id: cicd/x }] }]',
      /cicd, which is a shipped service/,
    ],
    [
      'an action of another',
      'agents: [{ name: lint, addresses: ["http://x"], actions: [{ id: fmt/x }] }]',
      /its id must start with lint\//,
    ],
    ['an unknown member', 'agents: [{ name: lint, adresses: [] }]', /\/agents\/0/],
    [
      'an address that is none',
      'agents: [{ name: lint, addresses: ["x"], actions: [{ id: lint/x }] }]',
      /\/agents\/0\/addresses\/0/,
    ],
  ])('refuses %s', (_, text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});
