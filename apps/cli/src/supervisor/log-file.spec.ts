import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogFile } from './log-file.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'devmesh-log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('LogFile', () => {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

  it('keeps within its limits, the newest last', () => {
    const log = new LogFile(join(folder, 'x.log'), { maxBytes: 10, keep: 2 });
    for (const line of ['one\n', 'two\n', 'three\n', 'four\n', 'five\n', 'six\n', 'seven\n']) log.write(line);
    log.close();
    expect(readdirSync(folder).sort()).toEqual(['x.log', 'x.log.1', 'x.log.2']);
    expect([read('x.log.2'), read('x.log.1'), read('x.log')]).toEqual(
      ['three\n', 'four\nfive\n', 'six\nseven\n'].map((text) => text),
    );
  });

  it('goes on in a file that is there, and is for its owner alone', () => {
    for (const line of ['one\n', 'two\n']) {
      const log = new LogFile(join(folder, 'x.log'));
      log.write(line);
      log.close();
    }
    expect(read('x.log')).toBe('one\ntwo\n');
    expect(statSync(join(folder, 'x.log')).mode & 0o777).toBe(0o600);
  });

  it('loses lines rather than throw', () => {
    const log = new LogFile(join(folder, 'x.log'));
    log.close();
    expect(() => log.write('late\n')).not.toThrow();
  });
});
