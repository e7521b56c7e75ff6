import { spawn } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_INSPECTOR_BASE, SERVICE_NAMES } from '@devmesh/contracts/services';
import { freePort } from '@devmesh/testing/free-ports';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { Debugger } from './support/debugger.js';
import { Devmesh, freePortBase } from './support/devmesh.js';

interface Configuration {
  readonly name: string;
  readonly port?: number;
  readonly program?: string;
  readonly runtimeExecutable?: string;
  readonly runtimeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** As committed, which is what an editor reads. */
function configurations(clone: string): readonly Configuration[] {
  const text = readFileSync(join(clone, '.vscode/launch.json'), 'utf8').replace(/^\/\/.*\n/, '');
  return (JSON.parse(text) as { configurations: Configuration[] }).configurations;
}

const named = (name: string): Configuration => {
  const found = configurations(inject('clone')).find((each) => each.name === name);
  if (found === undefined) throw new Error(`no configuration "${name}" in .vscode/launch.json`);
  return found;
};

const SOURCE = 'libs/service-kit/src/health/health.controller.ts';

describe('a mesh that debuggers may attach to', () => {
  let devmesh: Devmesh;
  let inspectorBase: number;
  let clone: string;

  beforeAll(async () => {
    clone = realpathSync(inject('clone'));
    devmesh = await Devmesh.make(inject('clone'));
    do inspectorBase = await freePortBase();
    while (inspectorBase === devmesh.portBase);
    const up = await devmesh.run(['up', '--quiet', '--inspect', String(inspectorBase)]);
    expect(up).toMatchObject({ code: 0, stderr: '' });
  });

  afterAll(async () => {
    await devmesh.remove();
  });

  it.each(SERVICE_NAMES.map((name, i) => [name, i] as const))(
    'stops %s at a breakpoint in TypeScript, where launch.json attaches',
    async (name, i) => {
      const { port = 0 } = named(`attach: ${name}`);
      const attached = await Debugger.attach(inspectorBase + port - DEFAULT_INSPECTOR_BASE);
      try {
        expect(await attached.evaluate('process.argv[1]')).toBe(join(clone, 'apps', name, 'dist/main.js'));
        const file = join(clone, SOURCE);
        const lines = readFileSync(file, 'utf8').split('\n');
        const line = lines.findIndex((text) => text.includes("return { status: 'ok' }")) + 1;
        const breakpoint = await attached.breakAt(file, line);
        const stopped = attached.stop();
        const answer = fetch(`http://127.0.0.1:${devmesh.portBase + i}/health/live`);
        const { hitBreakpoints, callFrames } = await stopped;
        expect(hitBreakpoints).toEqual([breakpoint]);
        expect(callFrames[0]?.functionName).toBe('live');
        await attached.resume();
        expect((await answer).status).toBe(200);
      } finally {
        attached.close();
      }
    },
  );

  it('runs a service that the editor starts beside it', async () => {
    const { program = '', runtimeExecutable = '', runtimeArgs = [], env = {} } = named('start: code-review');
    const inClone = (text: string): string =>
      text
        .replaceAll('${workspaceFolder}/.devmesh', devmesh.home)
        .replaceAll('${workspaceFolder}', clone)
        .replace(/127\.0\.0\.1:80(\d\d)/g, (_, last: string) => `127.0.0.1:${devmesh.portBase + Number(last)}`);
    const port = await freePort();
    const child = spawn(inClone(runtimeExecutable), [...runtimeArgs, inClone(program)], {
      cwd: clone,
      stdio: 'ignore',
      env: {
        ...devmesh.environment(),
        ...Object.fromEntries(Object.entries(env).map(([key, value]) => [key, inClone(value)])),
        DEVMESH_PORT: String(port),
      },
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    try {
      await vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200), {
        timeout: 30_000,
        interval: 50,
      });
    } finally {
      child.kill('SIGTERM');
      await ended;
    }
  });

  it('says so when it is up without them', async () => {
    const said = await devmesh.run(['up', '--inspect']);
    expect(said.code).not.toBe(0);
    expect(said.stderr).toMatch(/up already.*leave --consul, --instances and --inspect out/);
  });
});
