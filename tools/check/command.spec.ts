import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, runCommand, toolEnvironment } from './command.ts';

describe('toolEnvironment', () => {
  const own = join(root, 'node_modules/.cache/home');

  it.each([
    [tmpdir(), tmpdir()],
    ['/no/such/folder', own],
    ['relative', own],
    ['', own],
    [undefined, own],
  ])('makes of the home %s %s', (home, expected) => {
    expect(toolEnvironment({ HOME: home }, false)['HOME']).toBe(expected);
  });

  it('drops what would change how the tools work', () => {
    const environment = toolEnvironment({ NODE_ENV: 'production', NODE_OPTIONS: '--x', OTHER: 'kept' }, true);
    expect(environment).toMatchObject({ OTHER: 'kept' });
    expect(environment).not.toHaveProperty('NODE_ENV');
    expect(environment).not.toHaveProperty('NODE_OPTIONS');
    expect(environment).not.toHaveProperty('NO_COLOR');
  });
});

describe('runCommand', () => {
  it('gives what was printed and the exit code', async () => {
    const result = await runCommand('/bin/sh', ['-c', 'echo out; echo err >&2; exit 3'], { timeoutMs: 60_000 });
    expect(result).toMatchObject({ exitCode: 3, timedOut: false });
    expect(result.output.split('\n').toSorted((a, b) => a.localeCompare(b))).toEqual(['', 'err', 'out']);
  });

  it('ends a command that takes too long, and what that started', async () => {
    // The output stays open until the last of them is gone, so this would not return otherwise.
    const result = await runCommand('/bin/sh', ['-c', 'sleep 600 & sleep 600'], { timeoutMs: 1 });
    expect(result).toMatchObject({ exitCode: null, timedOut: true });
  });
});
