import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const module = fileURLToPath(new URL('process-end.ts', import.meta.url));

/** A process that lives until it is told, and says what it does. */
const SCRIPT = `
import { endWithSignals } from ${JSON.stringify(module)};
const [parentPipe, mode] = process.argv.slice(1);
const say = (text) => process.stdout.write(text + '\\n');
setInterval(() => undefined, 1000);
endWithSignals({
  logger: { info: (text, fields) => say(fields.why) },
  end: (boundMs) => { say('end ' + boundMs); return mode === 'never' ? new Promise(() => undefined) : Promise.resolve(); },
  drainMs: 5000,
  parentPipe: parentPipe === 'pipe',
});
say('ready');
`;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function start(
  ...args: string[]
): Promise<{ child: ChildProcess; said: () => string; exit: Promise<unknown[]> }> {
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', SCRIPT, '--', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const exit = once(child, 'exit');
  await expect.poll(() => text, { timeout: 8_000 }).toContain('ready');
  return { child, said: () => text, exit };
}

describe('endWithSignals', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends in order on %s', async (signal) => {
    const { child, said, exit } = await start('alone');
    child.kill(signal);
    expect(await exit).toEqual([0, null]);
    expect(said()).toBe(`ready\n${signal}\nend 5000\n`);
  });

  it('ends at once on a second signal', async () => {
    const { child, said, exit } = await start('alone', 'never');
    child.kill('SIGTERM');
    await expect.poll(said).toContain('end');
    child.kill('SIGTERM');
    expect(await exit).toEqual([1, null]);
  });

  it('ends soon when its supervisor is gone', async () => {
    const { child, said, exit } = await start('pipe');
    child.stdin?.destroy();
    expect(await exit).toEqual([0, null]);
    expect(said()).toBe('ready\nthe supervisor is gone\nend 1000\n');
  });

  it('ends in order, too, when nobody reads its log any more', async () => {
    const { child, exit } = await start('pipe');
    child.stdout?.destroy();
    child.stdin?.destroy();
    expect(await exit).toEqual([0, null]);
  });

  it('lives on without an input when it is nobody’s', async () => {
    const { child, said, exit } = await start('alone');
    child.stdin?.destroy();
    child.kill('SIGTERM');
    await exit;
    expect(said()).toContain('SIGTERM');
  });
});
