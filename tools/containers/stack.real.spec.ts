import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunView } from '@devmesh/contracts/gateway-api';
import { SERVICE_NAMES, SERVICES } from '@devmesh/contracts/services';
import { packRepository } from '@devmesh/repository/pack';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import { GatewayClient } from '@devmesh/service-client/gateway.client';
import { freePorts } from '@devmesh/testing/free-ports';
import { describeWith, NOT_TO_BE_HAD, programPath } from '@devmesh/testing/peers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Debugger } from '../../e2e/support/debugger.ts';
import { root } from '../check/command.ts';
import { run, type Said } from '../deployment/testing/programs.ts';
import { editorFiles } from '../editor/files.ts';
import { IMAGES } from './compose.ts';
import { Engine } from './testing/engine.ts';

const BASE = 'node:24.21.0-bookworm-slim';
const composeFiles = (...overlays: string[]): string[] =>
  ['', ...overlays.map((name) => `.${name}`)].flatMap((name) => [
    '-f',
    join(root, `compose/docker-compose${name}.yml`),
  ]);

interface Attach {
  readonly name: string;
  readonly port: number;
  readonly localRoot: string;
  readonly remoteRoot: string;
}
/** What an editor attaches to containers with: `container: NAME` of .vscode/launch.json. */
const { configurations } = JSON.parse((editorFiles().get('.vscode/launch.json') ?? '').replace(/^\/\/.*\n/, '')) as {
  configurations: Attach[];
};
const attachTo = (service: string): Attach => {
  const found = configurations.find(({ name }) => name === `container: ${service}`);
  if (found === undefined) throw new Error(`no configuration for ${service} in a container`);
  return found;
};

function succeeded({ code, text }: Said): void {
  if (code !== 0) throw new Error(`it ended with ${code}: ${text.slice(-3_000)}`);
}

describeWith(['hadolint'], 'hadolint', () => {
  test('finds nothing in the Dockerfile', async () => {
    expect(await run('hadolint', [join(root, 'deploy/docker/Dockerfile')])).toEqual({ code: 0, text: '' });
  });
});

describeWith(['docker-compose'], 'docker compose', () => {
  test.each([[[]], [['debug']], [['production']], [['staging']]])('takes the files, overlays %j', async (overlays) => {
    const env = { IMAGE_REGISTRY: 'r.example.org/x', IMAGE_TAG: 't', DEVMESH_DOMAIN: 'd.example.org' };
    const said = await run('docker-compose', [...composeFiles(...overlays), 'config', '--quiet'], { env });
    expect(said).toEqual({ code: 0, text: '' });
  });

  test('opens each inspector where the editor attaches, to this machine alone', async () => {
    const { text } = await run('docker-compose', [...composeFiles('debug'), 'config', '--format', 'json']);
    const { services } = JSON.parse(text) as {
      services: Record<string, { ports: { host_ip: string; published: string; target: number }[] }>;
    };
    for (const name of SERVICE_NAMES) {
      const inspector = services[name]?.ports.find(({ target }) => target === 9229);
      expect(inspector, name).toMatchObject({ host_ip: '127.0.0.1', published: String(attachTo(name).port) });
    }
  });

  test('lets production pull alone, and be reached through Caddy alone', async () => {
    const env = { IMAGE_REGISTRY: 'r.example.org/x', IMAGE_TAG: 't', DEVMESH_DOMAIN: 'd.example.org' };
    const args = [...composeFiles('production'), '--profile', 'observability', 'config', '--format', 'json'];
    const { services } = JSON.parse((await run('docker-compose', args, { env })).text) as {
      services: Record<string, { build?: unknown; image: string; ports?: { published: string }[] }>;
    };
    const ports = Object.entries(services).flatMap(([name, { ports: open = [] }]) =>
      open.map(({ published }) => [name, published]),
    );
    expect(ports.map(([name, port]) => `${name} ${port}`).sort()).toEqual(['caddy 443', 'caddy 443', 'caddy 80']);
    expect(Object.values(services).filter(({ build }) => build !== undefined)).toEqual([]);
    expect(services['gateway']?.image).toBe('r.example.org/x/gateway:t');
    for (const variable of ['IMAGE_TAG', 'IMAGE_REGISTRY', 'DEVMESH_DOMAIN'] as const) {
      const said = await run('docker-compose', [...composeFiles('production'), 'config', '--quiet'], {
        env: { ...env, [variable]: '' },
      });
      expect(said.code).not.toBe(0);
      expect(said.text).toContain(variable);
    }
  });
});

describeWith(['dockerd', 'iptables', 'debootstrap', 'docker-compose', 'consul'], 'the mesh in containers', async () => {
  // Whether there can be an engine shows when one is started; the base comes from Debian's mirror.
  const made = await Engine.start()
    .then(async (engine) => {
      await engine.makeBase(BASE).catch(async (error: unknown) => {
        await engine.stop();
        throw error;
      });
      return { engine };
    })
    .catch((error: unknown) => ({ why: error instanceof Error ? error.message : String(error) }));
  const why = 'why' in made ? ` (a Docker engine ${NOT_TO_BE_HAD}: ${made.why})` : '';
  describe.skipIf(why !== '')(`built and started${why}`, () => {
    const engine = (made as { engine: Engine }).engine;
    let env: Record<string, string>;
    let repository: string;
    let client: GatewayClient;
    const compose = (...args: string[]): Promise<Said> =>
      run('docker-compose', [...composeFiles(), '-f', engine.network, ...args], { env });
    const UP = ['up', '--detach', '--no-build', '--pull', 'never', '--wait'] as const;

    /** With what those said that did not come up. */
    async function up(said: Said): Promise<void> {
      if (said.code === 0) return;
      const { text } = await compose('logs', '--no-color', '--tail', '15');
      throw new Error(`compose ended with ${said.code}: ${said.text.slice(-1_000)}\n${text.slice(-6_000)}`);
    }

    beforeAll(async () => {
      const [gatewayPort = 0, consulPort = 0] = await freePorts(2);
      const secrets = join(engine.folder, 'secrets');
      env = {
        ...engine.env,
        DEVMESH_SECRETS: secrets,
        DEVMESH_GATEWAY_PORT: String(gatewayPort),
        CONSUL_UI_PORT: String(consulPort),
        IMAGE_TAG: 'local',
      };
      succeeded(await run('sh', [join(root, 'compose/make-secrets.sh'), secrets]));
      const key = readFileSync(join(secrets, 'api-key'), 'utf8').trim();
      client = new GatewayClient({ url: `http://127.0.0.1:${gatewayPort}`, apiKey: key });
      repository = makeRepository([
        ['index.js', 'console.log("hello");\n'],
        ['package.json', '{"name":"hello","version":"1.0.0"}\n'],
      ]);
      const folder = join(engine.folder, 'stand-ins');
      mkdirSync(folder);
      for (const name of ['peers.Dockerfile', 'postgres-entrypoint.sh'])
        cpSync(join(root, 'tools/containers/testing', name), join(folder, name));
      cpSync(realpathSync(programPath('consul') ?? ''), join(folder, 'consul'));
      const file = join(folder, 'peers.Dockerfile');
      for (const name of ['postgres', 'valkey', 'consul'] as const)
        await engine.done(
          'build',
          '--quiet',
          '--network',
          'host',
          '--file',
          file,
          '--target',
          name,
          '--tag',
          IMAGES[name],
          folder,
        );
      for (const name of SERVICE_NAMES)
        await engine.done(
          'build',
          '--quiet',
          '--network',
          'host',
          '--file',
          join(root, 'deploy/docker/Dockerfile'),
          '--target',
          name,
          '--tag',
          `devmesh/${name}:local`,
          root,
        );
      await up(await compose(...UP));
    }, 1_200_000);

    afterAll(async () => {
      await client.close();
      await compose('down', '--volumes', '--timeout', '5');
      await engine.stop();
      removeAll(repository);
    }, 120_000);

    const states = async (): Promise<string[]> =>
      (await compose('ps', '--all', '--format', '{{.Service}} {{.State}} {{.Health}}')).text.trim().split('\n');

    async function reviewed(): Promise<RunView> {
      const outFile = join(engine.folder, 'packed.bundle');
      const packed = await packRepository(repository, { outFile });
      const { digest } = await client.putArtifact({ file: outFile });
      const ref = { bundles: [digest], commit: packed.commit, base: packed.base, shallow: packed.shallow };
      const { id } = await client.createRun(
        { workflow: { name: 'deliver' }, repository: { ref, origin: '/hello' } },
        randomUUID(),
      );
      for await (const heard of client.follow(id)) if (heard.type === 'end') break;
      return client.run(id);
    }

    test('adds at most 40 MB for a service to what all share, and brings no compiler, package manager or source', async () => {
      const layers = async (image: string): Promise<string[]> =>
        JSON.parse(await engine.done('inspect', '--format', '{{json .RootFS.Layers}}', image)) as string[];
      const size = async (image: string): Promise<number> =>
        Number(await engine.done('inspect', '--format', '{{.Size}}', image));
      const shared = (await layers('devmesh/gateway:local')).slice(0, -1);
      const sizes = await Promise.all(SERVICE_NAMES.map((name) => size(`devmesh/${name}:local`)));
      for (const name of SERVICE_NAMES)
        expect((await layers(`devmesh/${name}:local`)).slice(0, -1), name).toEqual(shared);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(40_000_000);
      const look =
        'id -u; command -v npm npx pnpm tsc gcc; find /app -name "*.ts" -not -path "*/.pnpm/*"; find /app/libs /app/apps -name "*.spec.js"; touch /app/x 2>&1';
      const said = await engine.docker(
        'run',
        '--rm',
        '--read-only',
        '--entrypoint',
        'sh',
        'devmesh/gateway:local',
        '-c',
        look,
      );
      expect(said.text).toMatch(/^1000\ntouch: .*Read-only file system\n$/);
    });

    test('has its bill of materials in each image', async () => {
      for (const name of SERVICE_NAMES) {
        const path = `/app/apps/${name}/sbom.cdx.json`;
        const text = await engine.done('run', '--rm', '--entrypoint', 'cat', `devmesh/${name}:local`, path);
        const { metadata } = JSON.parse(text) as { metadata: { component: { name: string } } };
        expect(metadata.component.name).toBe(name);
      }
    });

    test('is well, and Consul shows all nine passing', async () => {
      expect((await states()).filter((line) => !line.endsWith(' running healthy'))).toEqual([]);
      const answer = await fetch(`http://127.0.0.1:${env['CONSUL_UI_PORT']}/v1/health/state/passing`);
      const checks = (await answer.json()) as { ServiceName: string }[];
      expect([...new Set(checks.map(({ ServiceName }) => ServiceName))].filter((name) => name !== '').sort()).toEqual(
        [...SERVICE_NAMES].sort(),
      );
    });

    test('does its main job, and has lost nothing after a down and an up', async () => {
      const done = await reviewed();
      expect(done).toMatchObject({ status: 'ended', verdict: 'passed' });
      expect((await compose('down', '--timeout', '20')).code).toBe(0);
      await up(await compose(...UP));
      expect(await client.run(done.id)).toMatchObject({ verdict: 'passed', result: done.result });
      expect(await reviewed()).toMatchObject({ verdict: 'passed' });
    }, 400_000);

    test('stops in every service at a breakpoint set in TypeScript, as the editor attaches to containers', async () => {
      const ports = await freePorts(SERVICE_NAMES.length);
      const portOf = new Map(SERVICE_NAMES.map((name, i) => [name, ports[i] ?? 0]));
      // The overlay's own ports may be those of a mesh with inspectors on this machine.
      const overlay = join(engine.folder, 'inspectors.yml');
      const lines = SERVICE_NAMES.flatMap((name) => [
        `  ${name}:`,
        `    ports: !override`,
        `      - 127.0.0.1:${portOf.get(name)}:9229`,
        ...(name === 'gateway' ? [`      - 127.0.0.1:${env['DEVMESH_GATEWAY_PORT']}:${SERVICES.gateway.port}`] : []),
      ]);
      writeFileSync(overlay, ['services:', ...lines, ''].join('\n'));
      const files = [...composeFiles('debug'), '-f', engine.network, '-f', overlay];
      await up(await run('docker-compose', [...files, ...UP], { env }));
      const file = join(root, 'libs/service-kit/src/health/health.controller.ts');
      const lineOfLive =
        readFileSync(file, 'utf8')
          .split('\n')
          .findIndex((text) => text.includes("return { status: 'ok' }")) + 1;
      for (const name of SERVICE_NAMES) {
        const { remoteRoot, localRoot } = attachTo(name);
        const roots = { remoteRoot, localRoot: localRoot.replace('${workspaceFolder}', root) };
        const attached = await Debugger.attach(portOf.get(name) ?? 0, roots);
        try {
          const breakpoint = await attached.breakAt(file, lineOfLive);
          const stopped = attached.stop();
          const ask = `fetch('http://127.0.0.1:${SERVICES[name].port}/health/live').then((answer) => console.log(answer.status))`;
          const answer = run('docker-compose', [...files, 'exec', '--no-TTY', name, 'node', '-e', ask], { env });
          const { hitBreakpoints, callFrames } = await stopped;
          expect(hitBreakpoints, name).toEqual([breakpoint]);
          expect(callFrames[0], name).toMatchObject({ functionName: 'live' });
          // Whoever else asks how it is would stop there, too.
          await attached.remove(breakpoint);
          await attached.resume();
          expect(await answer, name).toEqual({ code: 0, text: '200\n' });
        } finally {
          attached.close();
        }
      }
    }, 400_000);
  });
});
