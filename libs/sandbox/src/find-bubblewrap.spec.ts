import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cureFor } from './find-bubblewrap.js';
import { runInSandbox } from './run-in-sandbox.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'no-sandbox-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

describe('where there is no sandbox', () => {
  it('says that bubblewrap is missing, and how to get it, and runs nothing', async () => {
    vi.stubEnv('PATH', folder);
    expect(await runInSandbox({ command: ['touch', join(folder, 'ran')], folder })).toEqual({
      kind: 'unavailable',
      why: 'there is no bubblewrap (bwrap) on the PATH',
      cure: expect.stringContaining('apt-get install bubblewrap'),
    });
  });

  it('takes what bubblewrap said for why, when it can not make namespaces', async () => {
    writeFileSync(
      join(folder, 'bwrap'),
      '#!/bin/sh\necho "bwrap: setting up uid map: Permission denied" >&2\nexit 1\n',
      { mode: 0o755 },
    );
    vi.stubEnv('PATH', folder);
    expect(await runInSandbox({ command: ['true'], folder })).toEqual({
      kind: 'unavailable',
      why: 'bwrap: setting up uid map: Permission denied',
      cure: expect.stringContaining('user namespaces'),
    });
  });

  it('believes no bubblewrap that ends well without having run the command', async () => {
    writeFileSync(join(folder, 'bwrap'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    vi.stubEnv('PATH', folder);
    expect(await runInSandbox({ command: ['true'], folder })).toMatchObject({ kind: 'unavailable' });
  });

  it('looks in no folder that is relative', async () => {
    vi.stubEnv('PATH', `:.:${folder}`);
    expect(await runInSandbox({ command: ['true'], folder })).toMatchObject({
      why: 'there is no bubblewrap (bwrap) on the PATH',
    });
  });
});

it.each([
  ['cp: error writing: No space left on device', 'larger than the work copy'],
  ['bwrap: Unknown option --disable-userns', 'bubblewrap 0.8'],
  ['bwrap: No permissions to create new namespace', 'user namespaces'],
  ['bwrap: loopback: Failed to create NETLINK_ROUTE socket: Address family not supported', 'systemd unit'],
  ['something else', 'devmesh doctor'],
])('has a cure for "%s"', (why, cure) => {
  expect(cureFor(why)).toContain(cure);
});
