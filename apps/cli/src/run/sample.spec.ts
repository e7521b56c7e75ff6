import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { homeAt, openHome } from '../supervisor/home.js';
import { sampleRepository } from './sample.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'devmesh-sample-'));
  mkdirSync(join(folder, 'clone/examples/shop/src'), { recursive: true });
  mkdirSync(join(folder, 'clone/examples/other'), { recursive: true });
  writeFileSync(join(folder, 'clone/examples/shop.expected.json'), '{}');
  writeFileSync(join(folder, 'clone/examples/shop/src/a.ts'), 'export const a = 1;\r\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const head = (path: string): string =>
  execFileSync('git', ['-C', path, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();

describe('sampleRepository', () => {
  const clone = (): string => join(folder, 'clone');
  const make = async (name: string): Promise<string> => {
    const home = homeAt(join(folder, name));
    await openHome(home);
    return sampleRepository(home, clone(), { PATH: process.env['PATH'] });
  };

  it('is the same commit wherever it is made, and made once', async () => {
    const one = await make('one');
    const before = head(one);
    expect(await make('one')).toBe(one);
    expect(head(one)).toBe(before);
    expect(head(await make('two'))).toBe(before);
    expect(execFileSync('git', ['-C', one, 'show', 'HEAD:src/a.ts'], { encoding: 'utf8' })).toBe(
      'export const a = 1;\r\n',
    );
  });

  it('is made beside the old one when the tree has changed', async () => {
    const one = await make('one');
    writeFileSync(join(clone(), 'examples/shop/src/b.ts'), '');
    const next = await make('one');
    expect(next).not.toBe(one);
    expect(head(next)).not.toBe(head(one));
  });

  it('is missed with its cure', async () => {
    rmSync(join(clone(), 'examples/shop.expected.json'));
    await expect(make('one')).rejects.toThrow(/there is no sample repository .*--repo/);
  });
});
