import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StubClone } from './stub-clone.ts';

const install = (home: string): string => `npx -y pnpm@1.2.3 install --frozen-lockfile HOME=${home}`;

describe('./devmesh', () => {
  let clone: StubClone;

  beforeEach(() => {
    clone = new StubClone();
  });

  afterEach(() => clone.remove());

  it('sets the clone up at the first call and hands over, with arguments and folder as they were', async () => {
    const first = await clone.run(['run', 'two words', '']);
    expect(first).toEqual({
      code: 0,
      stdout: `${JSON.stringify([clone.base, 'run', 'two words', ''])}\n`,
      stderr: 'devmesh: setting up (first time)...\n',
    });
    expect(clone.calls()).toEqual([install(clone.home), 'tsc -b']);
  });

  it('does nothing of its own when nothing changed, and needs neither npm nor its Node then', async () => {
    await clone.run([]);
    clone.calls();
    for (const name of ['node', 'npx']) rmSync(join(clone.bin, name));
    expect(await clone.run(['status'])).toMatchObject({ code: 0, stderr: '' });
    expect(clone.calls()).toEqual([]);
  });

  it('can be called through links, from any folder', async () => {
    mkdirSync(join(clone.base, 'links'));
    symlinkSync('../a clone/devmesh', join(clone.base, 'links', 'inner'));
    symlinkSync('inner', join(clone.base, 'links', 'outer'));
    const { stdout } = await clone.run(['x'], { command: join(clone.base, 'links', 'outer'), cwd: '/' });
    expect(JSON.parse(stdout)).toEqual(['/', 'x']);
  });

  it('works after the clone was moved', async () => {
    await clone.run([]);
    clone.calls();
    renameSync(clone.root, join(clone.base, 'moved'));
    expect(await clone.run([], { command: join(clone.base, 'moved', 'devmesh') })).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(clone.calls()).toEqual([]);
  });

  it("takes the machine's Node where npm has none that runs", async () => {
    clone.withoutNode();
    expect(await clone.run([])).toMatchObject({ code: 0 });
    clone.calls();
    expect(await clone.run([])).toMatchObject({ code: 0, stderr: '' });
    expect(clone.calls()).toEqual([]);
  });

  it.each([
    ['a file that changed', (): void => clone.write('apps/cli/src/main.ts', '// other')],
    ['a file that is new', (): void => clone.write('libs/kit/src/new.ts', '')],
    ['a file that is gone', (): void => rmSync(join(clone.root, 'apps/cli/src/main.ts'))],
    ['an output that is gone', (): void => rmSync(join(clone.root, 'apps/cli/dist'), { recursive: true })],
  ])('builds again for %s, and gets no packages', async (_what, change) => {
    await clone.run([]);
    clone.calls();
    change();
    expect(await clone.run([])).toMatchObject({ code: 0, stderr: '' });
    expect(clone.calls()).toEqual(['tsc -b']);
  });

  it('gets packages again when a package.json changed, with the pnpm that is there', async () => {
    await clone.run([]);
    clone.calls();
    clone.write('libs/kit/package.json', '{ "dependencies": {} }');
    expect(await clone.run([])).toMatchObject({ stderr: 'devmesh: setting up (dependencies changed)...\n' });
    expect(clone.calls()).toEqual(['pnpm install --frozen-lockfile', 'tsc -b']);
  });

  it.each([
    ['unset', { HOME: undefined }],
    ['empty', { HOME: '' }],
    ['no folder', { HOME: '/nowhere/at/all' }],
  ])('keeps the caches in the clone when HOME is %s', async (_what, env) => {
    expect(await clone.run([], { env })).toMatchObject({ code: 0 });
    expect(clone.calls()[0]).toBe(install(`${clone.root}/node_modules/.cache/home`));
  });

  it('shows the end of the log and the cure when it fails, and tries again at the next call', async () => {
    writeFileSync(clone.failing, '');
    const offline = await clone.run([]);
    expect(offline).toMatchObject({ code: 1, stdout: '' });
    expect(offline.stderr).toContain('no such host\n');
    expect(offline.stderr).toContain('check that the npm registry can be reached');
    rmSync(clone.failing);
    expect(await clone.run([])).toMatchObject({ code: 0 });

    writeFileSync(clone.failing, '');
    clone.write('apps/cli/src/main.ts', '// wrong');
    const wrong = await clone.run([]);
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toContain('main.ts(1,1): error TS1\n');
    expect(wrong.stderr).toContain('mend what it names above');
    rmSync(clone.failing);
    expect(await clone.run([])).toMatchObject({ code: 0, stderr: '' });
  });

  it.each([
    ['git', 'git is missing'],
    ['node', 'node is missing'],
    ['npx', 'npm (with npx) is missing'],
  ])('says that %s is missing', async (tool, message) => {
    rmSync(join(clone.bin, tool));
    const { code, stderr } = await clone.run([]);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });

  it('says that Node is too old', async () => {
    rmSync(join(clone.bin, 'node'));
    writeFileSync(join(clone.bin, 'node'), '#!/bin/sh\necho v18.20.4\n', { mode: 0o755 });
    expect((await clone.run([])).stderr).toContain('Node.js v18.20.4 is too old: install 20 or newer');
  });

  it('hands tests to the checks without a build', async () => {
    expect(await clone.run(['test', '--only', 'unit'])).toMatchObject({
      code: 0,
      stdout: 'checks ["--only","unit"]\n',
    });
    expect(clone.calls()).toEqual([install(clone.home)]);
  });

  it('works for a user who may not write, once it is built, and says why before', async () => {
    // Root may write everywhere: it steps down to nobody.
    const user = process.getuid?.() === 0 ? { user: 65534 } : {};
    const lock = (): Buffer => execFileSync('chmod', ['-R', 'a-w,a+rX', clone.root]);
    lock();
    const before = await clone.run([], user);
    expect(before.code).toBe(1);
    expect(before.stderr).toContain(`cannot write to ${clone.root}`);
    execFileSync('chmod', ['-R', 'u+w', clone.root]);
    await clone.run([]);
    lock();
    expect(await clone.run([], user)).toMatchObject({ code: 0, stderr: '' });
    execFileSync('chmod', ['-R', 'u+w', clone.root]);
  });
});

describe.each([
  ['with flock', ['git', 'node', 'npx', 'flock']],
  ['without flock', ['git', 'node', 'npx']],
])('two ./devmesh at once, %s', (_how, tools) => {
  let clone: StubClone;

  beforeEach(() => {
    clone = new StubClone(tools);
  });

  afterEach(() => clone.remove());

  it('the second waits for the first, says so, and does nothing twice', async () => {
    writeFileSync(clone.hold, '');
    const first = clone.start(['first']);
    await first.says('setting up');
    const second = clone.start(['second']);
    await second.says('waiting for it');
    rmSync(clone.hold);
    expect(await first.ended).toMatchObject({ code: 0 });
    expect(await second.ended).toMatchObject({ code: 0 });
    expect(clone.calls()).toEqual([install(clone.home), 'tsc -b']);
  });

  it('takes over from one that was killed', async () => {
    writeFileSync(clone.hold, '');
    const first = clone.start([]);
    await first.says('setting up');
    first.process.kill('SIGKILL');
    // The stand-in for npx lives on and keeps the output open; it ends when it is let go.
    rmSync(clone.hold);
    await first.ended;
    expect(await clone.run([])).toMatchObject({ code: 0, stderr: 'devmesh: setting up (first time)...\n' });
  });
});

describe('the script itself', () => {
  it('is POSIX shell', () => {
    const file = join(import.meta.dirname, '../../devmesh');
    expect(readFileSync(file, 'utf8').split('\n')[0]).toBe('#!/bin/sh');
    chmodSync(file, 0o755);
    execFileSync('sh', ['-n', file]);
  });
});
