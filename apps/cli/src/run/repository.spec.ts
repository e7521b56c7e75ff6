import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { chooseRepository } from './repository.js';

const cwd = mkdtempSync(join(tmpdir(), 'devmesh-choose-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('chooseRepository', () => {
  it.each([
    ['https://example.org/a.git', { kind: 'url', url: 'https://example.org/a.git' }],
    ['ssh://git@example.org/a', { kind: 'url', url: 'ssh://git@example.org/a' }],
    ['git@example.org:team/a.git', { kind: 'url', url: 'ssh://git@example.org/team/a.git' }],
    ['example.org:/srv/a.git', { kind: 'url', url: 'ssh://example.org/srv/a.git' }],
    ['.', { kind: 'path', path: cwd }],
    ['sub/folder', { kind: 'path', path: join(cwd, 'sub/folder') }],
    ['/abs olute', { kind: 'path', path: '/abs olute' }],
  ])('%s', (given, choice) => expect(chooseRepository(given, cwd)).toEqual(choice));

  it('takes a folder for a folder, though it looks like ssh', () => {
    mkdirSync(join(cwd, 'odd:name'));
    expect(chooseRepository('odd:name', cwd)).toEqual({ kind: 'path', path: join(cwd, 'odd:name') });
  });
});
