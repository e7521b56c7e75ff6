import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith } from '@devmesh/testing/peers';
import { freePort } from '@devmesh/testing/free-ports';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { root } from '../check/command.ts';
import { run } from './testing/programs.ts';
import { startSshServer, type SshServer } from './testing/ssh-server.ts';

const script = join(root, 'deploy/debug-agent.sh');

describeWith(['sshd'], 'debug-agent on a droplet, which an SSH server with a scripted docker stands in for', () => {
  let server: SshServer;
  let service: ChildProcess;
  let containerPort: number;
  let reach: string[];

  beforeAll(async () => {
    server = await startSshServer();
    containerPort = await freePort();
    cpSync(join(root, 'tools/deployment/fixtures/docker'), join(server.folder, 'bin/docker'));
    cpSync(process.execPath, join(server.folder, 'bin/node'));
    const docker = join(server.folder, 'docker-state');
    mkdirSync(docker);
    // What runs in the container: it opens no inspector until it is told to.
    service = spawn(process.execPath, [`--inspect-port=${containerPort}`, '-e', 'setInterval(() => {}, 1000)'], {
      stdio: 'ignore',
    });
    writeFileSync(join(docker, 'pid'), `${service.pid}`);
    const trust = ['--identity', server.identity, '--known-hosts', server.knownHosts];
    reach = ['--host', '127.0.0.1', '--ssh-port', `${server.port}`, '--user', server.user, ...trust];
  });
  afterAll(async () => {
    service.kill('SIGKILL');
    await server.stop();
  });

  test('shows state and log, and says which services there are when it is none of them', async () => {
    const shown = await run(script, ['gateway', '--no-inspect', ...reach]);
    expect(shown).toMatchObject({ code: 0, text: expect.stringContaining('last words of devmesh-gateway-1') });
    const none = await run(script, ['rag-context', '--no-inspect', ...reach]);
    expect(none).toMatchObject({ code: 1, text: expect.stringContaining('devmesh-orchestrator-1') });
  });

  test('carries the inspector of the process here, for as long as it runs', async () => {
    const port = await freePort();
    const args = ['gateway', '--port', `${port}`, '--container-port', `${containerPort}`, ...reach];
    const child = spawn(script, args, { stdio: ['ignore', 'ignore', 'ignore'] });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const targets = (): Promise<{ type: string; webSocketDebuggerUrl: string }[]> =>
      fetch(`http://127.0.0.1:${port}/json/list`).then((answer) => answer.json() as Promise<never>);
    const [found] = await vi.waitFor(targets, { timeout: 20_000, interval: 100 });
    expect(found?.type).toBe('node');
    const socket = new WebSocket(`ws://127.0.0.1:${port}${new URL(found?.webSocketDebuggerUrl ?? '').pathname}`);
    const said = new Promise<unknown>((resolve, reject) => {
      socket.addEventListener('message', ({ data }) => resolve(JSON.parse(String(data))));
      socket.addEventListener('error', () => reject(new Error('the inspector hung up')));
    });
    socket.addEventListener('open', () =>
      socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: 'process.pid' } })),
    );
    expect(await said).toMatchObject({ id: 1, result: { result: { value: service.pid } } });
    socket.close();
    child.kill('SIGTERM');
    await ended;
    await expect(targets()).rejects.toThrow();
  });

  test.for([
    [[], 'name a service'],
    [['gateway', 'orchestrator'], 'name one service'],
    [['$(id)'], 'is no service'],
    [['gateway', '--host', '-oProxyCommand=x'], 'is no host'],
    [['gateway', '--project', '$(id)'], 'is no project'],
  ] as const)('wrong use: %j', async ([args, said]) => {
    expect(await run(script, args)).toMatchObject({ code: 2, text: expect.stringContaining(said) });
  });
});
