import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeWith } from '@devmesh/testing/peers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SandboxLimits, SandboxOutcome } from './outcome.js';
import { runInSandbox } from './run-in-sandbox.js';

const MIB = 1024 ** 2;
const SECRET = 'the-secret-of-the-test';

let outside: string;
let folder: string;

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'sandbox-outside-'));
  folder = join(outside, 'tree');
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, 'file.txt'), 'as it was\n');
});
afterEach(() => rmSync(outside, { recursive: true, force: true }));

/** A file that nobody inside is to read. */
function secretFile(...names: readonly string[]): string {
  const path = join(outside, ...names);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, SECRET, { mode: 0o644 });
  return path;
}

/** Processes of this machine whose arguments hold a text. */
function processesWith(text: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text);
    } catch {
      return false;
    }
  });
}

/** Root's sandboxes have a user of their own; those of others a user namespace, which root can have as well. */
const WAYS =
  process.getuid?.() === 0 ? (['a user of its own', 'a user namespace'] as const) : (['a user namespace'] as const);

describeWith(['bwrap'], 'a sandbox', () => {
  describe.each(WAYS)('with %s', (way) => {
    const run = (command: readonly string[], limits: Partial<SandboxLimits> = {}): Promise<SandboxOutcome> => {
      const job = { command, folder, limits: { wallMs: 30_000, ...limits } };
      return way === 'a user of its own' || process.getuid?.() !== 0 ? runInSandbox(job) : runInSandbox(job, null);
    };
    const sh = async (script: string, limits: Partial<SandboxLimits> = {}) => {
      const outcome = await run(['sh', '-c', script], limits);
      if (outcome.kind === 'unavailable') throw new Error(`${outcome.why}: ${outcome.cure}`);
      return outcome;
    };

    it('runs what it is given on a copy, with a loopback of its own, and gives the code and the output', async () => {
      const server = `require('net').createServer(s => s.end('heard')).listen(0, '127.0.0.1', function () {
        require('net').connect(this.address().port, '127.0.0.1').on('data', d => { console.log(String(d)); process.exit(3) }) })`;
      expect(await run(['node', '-e', server])).toMatchObject({ kind: 'exited', exitCode: 3, output: 'heard\n' });
      expect(await sh('echo changed > file.txt; mkdir new; cat file.txt; echo bad >&2')).toMatchObject({
        kind: 'exited',
        exitCode: 0,
        output: 'changed\nbad\n',
      });
      expect(readFileSync(join(folder, 'file.txt'), 'utf8')).toBe('as it was\n');
      expect(readdirSync(folder)).toEqual(['file.txt']);
    });

    it.each([
      ['a key of the home', ['home', '.ssh', 'id_ed25519']],
      ["another run's folder", ['runs', 'other', 'tree', 'main.ts']],
      ['the internal token', ['secrets', 'internal-token']],
    ])('cannot read %s', async (_what, names) => {
      const path = secretFile(...names);
      const outcome = await sh(
        `cat '${path}' "/proc/1/root${path}" "/proc/self/root${path}" "/source/../${path}"; grep -rs ${SECRET} /tmp /source / --exclude-dir=proc --exclude-dir=usr; echo looked`,
      );
      expect(outcome.output).toContain('looked');
      expect(outcome.output).not.toContain(SECRET);
    });

    it('has no variable of the process that started it, not even in those of others', async () => {
      process.env['SANDBOX_TEST_TOKEN'] = SECRET;
      try {
        const outcome = await sh(
          'env; cat /proc/*/environ /proc/*/task/*/environ 2>/dev/null | tr "\\0" "\\n"; echo looked',
        );
        expect(outcome.output).toContain('PATH=');
        expect(outcome.output).toContain('looked');
        expect(outcome.output).not.toContain(SECRET);
      } finally {
        delete process.env['SANDBOX_TEST_TOKEN'];
      }
    });

    describe('reaches no server of this machine', () => {
      const servers: Server[] = [];
      let heard = 0;
      const listen = (on: string | number): Promise<number> =>
        new Promise((resolve) => {
          const server = createServer((socket) => {
            heard += 1;
            socket.destroy();
          });
          servers.push(server);
          server.listen(on, () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        });
      afterEach(() => servers.splice(0).forEach((server) => server.close()));

      it('by TCP or by an abstract socket', async () => {
        heard = 0;
        const port = await listen(0);
        await listen(`\0sandbox-test-${process.pid}`);
        const addresses = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);
        const targets = [
          ...['127.0.0.1', '::1', 'localhost', ...addresses].map((host) => ({ host, port })),
          { path: `\0sandbox-test-${process.pid}` },
        ];
        const script = `let left = 0; for (const to of ${JSON.stringify(targets)}) { left++; require('net').connect(to)
          .on('connect', () => console.log('REACHED', to)).on('error', (e) => { console.log(e.code); if (--left === 0) process.exit(0) }) }`;
        const outcome = await run(['node', '-e', script]);
        expect(outcome).toMatchObject({ kind: 'exited', exitCode: 0 });
        expect(outcome).not.toMatchObject({ output: expect.stringContaining('REACHED') });
        expect(heard).toBe(0);
      });
    });

    // The kernel does not count the processes of root, so root has no use for a user namespace.
    const bounded = way === 'a user namespace' && process.getuid?.() === 0 ? [] : ['a fork bomb'];
    it.each(bounded)('bounds %s', async () => {
      const counting = `const { readdirSync } = require('fs');
        const tasks = () => readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).reduce((sum, pid) => {
          try { return sum + readdirSync('/proc/' + pid + '/task').length } catch { return sum } }, 0);
        require('child_process').spawn('sh', ['-c', 'b() { b | b & }; b; wait'], { stdio: 'inherit' });
        let most = 0; const until = Date.now() + 1500;
        while (Date.now() < until) most = Math.max(most, tasks());
        console.log('most ' + most); process.exit(0)`;
      const outcome = await run(['node', '-e', counting], { processes: 60, outputBytes: 64 * MIB });
      if (outcome.kind === 'unavailable') throw new Error(outcome.why);
      expect(outcome).toMatchObject({ kind: 'exited', exitCode: 0 });
      const most = Number(/^most (\d+)$/m.exec(outcome.output)?.[1]);
      expect(most).toBeGreaterThan(30);
      // Two of bubblewrap's own are not among those that it started.
      expect(most).toBeLessThanOrEqual(62);
    });

    it('ends a hog of memory, of one process and of many', async () => {
      const hog = 'const all = []; for (;;) all.push(Buffer.alloc(8e6, 1))';
      expect(await run(['node', '-e', hog], { memoryBytes: 300 * MIB })).toMatchObject({ kind: 'out_of_memory' });
      const hundred = 'const keep = Buffer.alloc(100e6, 1); setInterval(() => keep[0]++, 1000)';
      const many = `for i in 1 2 3 4; do node -e '${hundred}' & done; wait`;
      expect(await sh(many, { memoryBytes: 300 * MIB })).toMatchObject({ kind: 'out_of_memory' });
    });

    it('ends a busy loop by the clock, and by the processor when it has more than one', async () => {
      expect(await sh('while :; do :; done', { wallMs: 500 })).toMatchObject({ kind: 'timed_out', limit: 'wall' });
      const two = await sh('(while :; do :; done) & while :; do :; done', { cpuSeconds: 1 });
      expect(two).toMatchObject({ kind: 'timed_out', limit: 'cpu' });
    });

    it.each(['/work/big', '/tmp/big', '/dev/shm/big'])('lets nobody write 10 GB to %s', async (path) => {
      const outcome = await sh(`head -c 10G /dev/zero > ${path}; stat -c %s ${path}`, { diskBytes: 32 * MIB });
      expect(outcome).toMatchObject({ kind: 'exited', exitCode: 0 });
      expect(Number(outcome.output.trim().split('\n').at(-1))).toBeLessThanOrEqual(32 * MIB);
    });

    it.each(['/', '/usr', '/etc', '/dev', '/source', '/opt/node', '/proc/sys/kernel'])(
      'writes nothing to %s',
      async (path) => {
        const { output } = await sh(`touch ${path}/x && echo WRITTEN; echo tried`);
        expect(output).toContain('tried');
        expect(output).not.toContain('WRITTEN');
      },
    );

    it('ends who makes files without end', async () => {
      const outcome = await sh('seq 1 1000000 | xargs -n 2000 touch');
      expect(outcome).toMatchObject({ kind: 'too_many_files' });
    });

    it('ends endless output, and keeps its end', async () => {
      const outcome = await sh('yes', { outputBytes: MIB });
      expect(outcome).toMatchObject({ kind: 'output_limit' });
      expect(outcome.output.length).toBeLessThanOrEqual(64 * 1024);
    });

    it('follows no link out of the work copy', async () => {
      const secret = secretFile('outside.txt');
      symlinkSync(secret, join(folder, 'out.txt'));
      symlinkSync(outside, join(folder, 'up'));
      const outcome = await sh(
        `cat out.txt up/outside.txt ../tree/../outside.txt; echo overwritten > out.txt; echo new > up/new; echo tried`,
      );
      expect(outcome.output).toContain('tried');
      expect(outcome.output).not.toContain(SECRET);
      expect(readFileSync(secret, 'utf8')).toBe(SECRET);
      expect(existsSync(join(outside, 'new'))).toBe(false);
    });

    it('sees and ends no process but its own', async () => {
      const outcome = await sh(
        `kill -9 ${process.pid}; ls -d /proc/${process.pid}; cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -c vitest; kill -9 -1; echo survived`,
      );
      expect(outcome).toMatchObject({ kind: 'exited' });
      expect(outcome.output).not.toContain('vitest');
      expect(outcome.output).toMatch(/No such process/i);
    });

    it('gets no power: no mounts, no root, no door in /proc', async () => {
      const outcome = await sh(
        [
          'mount -t tmpfs none /work && echo MOUNTED',
          'mount -o remount,rw,bind /usr && echo MOUNTED',
          'unshare -Urm sh -c "mount -o remount,rw,bind /usr && : > /usr/sandbox-test-x && echo WRITTEN"',
          'chroot / true && echo CHROOTED',
          'ls /proc/1/root/home /proc/1/root/root && echo OUT',
          'ls /proc/1/cwd/root && echo OUT',
          'cat /proc/1/mem > /dev/null && echo OUT',
          'echo b > /proc/sysrq-trigger && echo PRESSED',
          'head -c 1 /proc/kcore && echo OUT',
          'ls /sys && echo OUT',
          'grep -E "^(CapEff|CapPrm|CapAmb):" /proc/self/status; grep NoNewPrivs /proc/self/status',
        ].join('\n'),
      );
      expect(outcome.output).not.toMatch(/MOUNTED|WRITTEN|CHROOTED|OUT|PRESSED/);
      expect(outcome.output.match(/Cap(Eff|Prm|Amb):\s+0+$/gm)).toHaveLength(3);
      expect(outcome.output).toMatch(/NoNewPrivs:\s+1/);
      expect(existsSync('/usr/sandbox-test-x')).toBe(false);
    });

    it('is gone when it is cancelled', async () => {
      const mark = `8${process.pid}4`;
      const cancel = new AbortController();
      const job = { command: ['sleep', mark], folder, signal: cancel.signal };
      const running = (way === 'a user namespace' ? runInSandbox(job, null) : runInSandbox(job)).catch(
        (error: unknown) => error,
      );
      await expect.poll(() => processesWith(mark).length, { timeout: 10_000 }).toBeGreaterThan(0);
      cancel.abort(new Error('told to stop'));
      expect(await running).toMatchObject({ message: 'told to stop' });
      await expect.poll(() => processesWith(mark), { timeout: 10_000 }).toEqual([]);
    });
  });

  it('is gone when the process that started it is killed', async () => {
    const mark = `9${process.pid}6`;
    const module = fileURLToPath(new URL('../dist/run-in-sandbox.js', import.meta.url));
    const script = `import(${JSON.stringify(module)}).then(({ runInSandbox }) => runInSandbox({ command: ['sh', '-c', 'setsid sleep ${mark} & sleep ${mark}'], folder: ${JSON.stringify(folder)} }))`;
    const agent = spawn(process.execPath, ['-e', script], { stdio: 'inherit' });
    await expect.poll(() => processesWith(`sleep\0${mark}`).length, { timeout: 20_000 }).toBeGreaterThan(1);
    agent.kill('SIGKILL');
    await expect.poll(() => processesWith(`sleep\0${mark}`), { timeout: 10_000 }).toEqual([]);
  });

  it('is gone when it is cancelled while it is made', async () => {
    const cancel = new AbortController();
    const job = { command: ['sleep', '1000'], folder, limits: { wallMs: 600_000 }, signal: cancel.signal };
    const running = runInSandbox(job);
    cancel.abort(new Error('told to stop'));
    await expect(running).rejects.toThrow('told to stop');
  });

  it('leaves no file behind', async () => {
    const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith('devmesh-sandbox-'));
    const before = left();
    await runInSandbox({ command: ['true'], folder });
    expect(left()).toEqual(before);
  });

  it('says that it can not be had where the work copy does not fit, and never runs the command', async () => {
    writeFileSync(join(folder, 'large'), Buffer.alloc(2 * MIB));
    const outcome = await runInSandbox({ command: ['echo', 'ran'], folder, limits: { diskBytes: MIB } });
    expect(outcome).toMatchObject({ kind: 'unavailable', why: expect.stringContaining('No space left') });
  });
});
