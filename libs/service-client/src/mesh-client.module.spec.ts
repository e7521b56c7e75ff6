import { PassThrough } from 'node:stream';
import { Module } from '@nestjs/common';
import { readConfig } from '@devmesh/service-kit/config/read-config';
import { ServiceConfig } from '@devmesh/service-kit/config/service-config';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { createService, type Service } from '@devmesh/service-kit/service';
import { afterEach, expect, it } from 'vitest';
import { z } from 'zod';
import { MeshClientModule } from './mesh-client.module.js';
import { MeshClients } from './mesh-clients.js';
import { json, problem, ScriptedServer } from './testing/scripted-server.js';

@Module({ imports: [MeshClientModule] })
class CallingModule {}

const ended: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function start(endpoint: string): Promise<{ service: Service; url: string }> {
  const env = {
    DEVMESH_INTERNAL_TOKEN: 'a-token-for-tests-that-is-long-enough',
    DEVMESH_ENDPOINTS: JSON.stringify({ cicd: [endpoint] }),
  };
  const config = {
    ...readConfig(ServiceConfig, { service: 'gateway', env }),
    breakers: { cicd: { failures: 2, openMs: 300 } },
  };
  const logger = Logger.create({ service: 'gateway', level: 'error', stream: new PassThrough() });
  const service = await createService({ name: 'gateway', config, logger, module: CallingModule });
  ended.push(() => service.close(1_000));
  return { service, url: await service.listen(0) };
}

it('shows the state of each breaker in /health and in the metrics: closed, open, half open', async () => {
  const server = await ScriptedServer.start((_, response) => problem(response, 500, 'internal'));
  ended.push(() => server.stop());
  const { service, url } = await start(server.url);
  const caller = service.app.get(MeshClients).caller('cicd');
  const call = (): Promise<unknown> => caller.call({ method: 'GET', path: '/x', once: true }, z.unknown());
  const shown = async (): Promise<unknown[]> => {
    const health = (await (await fetch(`${url}/health`)).json()) as { breakers: Record<string, string> };
    const metrics = await (await fetch(`${url}/metrics`)).text();
    return [health.breakers['cicd'], /^circuit_breaker_state\{[^}]*service="cicd"[^}]*\} (\d)$/m.exec(metrics)?.[1]];
  };
  expect(await shown()).toEqual(['closed', '0']);
  for (let i = 0; i < 2; i++) await expect(call()).rejects.toMatchObject({ code: 'internal' });
  expect(await shown()).toEqual(['open', '2']);
  await expect.poll(shown).toEqual(['half_open', '1']);
  server.script((_, response) => json(response, {}));
  await call();
  expect(await shown()).toEqual(['closed', '0']);
});
