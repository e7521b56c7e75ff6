import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executionKey } from '@devmesh/contracts/ids';
import { MeshClientModule } from '@devmesh/service-client/mesh-client.module';
import { MeshClients } from '@devmesh/service-client/mesh-clients';
import { readConfig } from '@devmesh/service-kit/config/read-config';
import { ServiceConfig } from '@devmesh/service-kit/config/service-config';
import { createService, type Service } from '@devmesh/service-kit/service';
import { receiveAlerts, type AlertReceiver, type ReceivedAlert } from '@devmesh/testing/alert-receiver';
import { describeWith } from '@devmesh/testing/peers';
import { Alertmanager, type PrometheusServer } from '@devmesh/testing/prometheus';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { alertmanagerConfig, SECRET_FILES } from '../../tools/monitoring/alertmanager.ts';
import { readSite } from '../../tools/monitoring/site.ts';
import { monitoring, scraping } from './prometheus-mesh.ts';

const A_MINUTE = 60_000;
/** Each secret is part of what arrives, so that it is seen which one was used; mail to a test wants none. */
const PATHS = { slack: '/slack', discord: '/discord/slack', pagerduty: '/pagerduty' };

describeWith(['prometheus', 'alertmanager'], 'an agent that fails whoever calls it', () => {
  let agent: Server;
  let caller: Service;
  let receiver: AlertReceiver;
  let secrets: string;
  let alertmanager: Alertmanager;
  let prometheus: PrometheusServer;

  beforeAll(async () => {
    agent = createServer((_, response) => response.writeHead(500).end());
    await new Promise<void>((resolve) => agent.listen(0, '127.0.0.1', resolve));
    const config = readConfig(ServiceConfig, {
      service: 'orchestrator',
      env: { DEVMESH_INTERNAL_TOKEN: 'x'.repeat(32), LOG_LEVEL: 'error' },
    });
    caller = await createService({ name: 'orchestrator', module: MeshClientModule, config });
    const port = Number(new URL(await caller.listen(0)).port);

    receiver = await receiveAlerts();
    secrets = mkdtempSync(join(tmpdir(), 'devmesh-secrets-'));
    for (const channel of ['slack', 'discord'] as const)
      writeFileSync(join(secrets, SECRET_FILES[channel]), `${receiver.url}${PATHS[channel]}`);
    writeFileSync(join(secrets, SECRET_FILES.pagerduty), 'a-routing-key');
    const site = readSite(`${monitoring}site.yaml`);
    const routes = alertmanagerConfig(
      { ...site, secrets, email: { ...site.email, smarthost: receiver.smarthost } },
      { pagerdutyUrl: `${receiver.url}${PATHS.pagerduty}`, requireTls: false },
    );
    alertmanager = await Alertmanager.start(stringify(routes, { aliasDuplicateObjects: false }));
    // Nobody listens at port 9: eight services are down. How long that must last is told by the tests of the rules.
    const portOf = (service: string): number => (service === 'orchestrator' ? port : 9);
    prometheus = await scraping(
      { from: 'static', host: '127.0.0.1', portOf },
      {
        alertmanager: alertmanager.address,
        rules: (text) => text.replace('for: 2m', 'for: 5s'),
      },
    );
  });
  afterAll(async () => {
    await prometheus.stop();
    await alertmanager.stop();
    await receiver.close();
    await caller.close();
    agent.closeAllConnections();
    await new Promise((resolve) => agent.close(resolve));
    rmSync(secrets, { recursive: true });
  });

  /** Those that say this, once each way has one. */
  const told = (text: string, ways: readonly string[]): Promise<ReceivedAlert[]> =>
    vi.waitFor(
      () => {
        const found = receiver.received.filter((one) => one.text.includes(text));
        expect([...new Set(found.map(({ via }) => via))].toSorted()).toEqual(ways.toSorted());
        return found;
      },
      { timeout: A_MINUTE, interval: 200 },
    );

  it('opens a breaker, and within a minute people hear of it by every way of a warning', async () => {
    const clients = caller.app.get(MeshClients);
    const { port } = agent.address() as AddressInfo;
    const key = executionKey('019ba0b8-0000-7000-8000-000000000000', 'a', 1, 1);
    const opened = Date.now();
    for (let times = 0; times < 3; times++) await clients.agent('code-review').cancel(`http://127.0.0.1:${port}`, key);
    expect(clients.breakerStates()).toMatchObject({ 'code-review': 'open' });
    const found = await told('CircuitOpen', [PATHS.slack, PATHS.discord, 'mail']);
    for (const { text, at } of found) {
      expect(at - opened).toBeLessThan(A_MINUTE);
      expect(text).toContain('WARNING CircuitOpen');
    }
    const slack = found.find(({ via }) => via === PATHS.slack)?.text;
    expect(slack).toContain('orchestrator holds back its calls to code-review');
    expect(slack).toContain('docs/runbooks/CircuitOpen.md');
  });

  it('is not alone: services that are gone wake somebody up', async () => {
    const found = await told('ServiceDown', [PATHS.slack, PATHS.discord, PATHS.pagerduty, 'mail']);
    const pager = found.find(({ via }) => via === PATHS.pagerduty)?.text ?? '';
    expect(JSON.parse(pager)).toMatchObject({
      routing_key: 'a-routing-key',
      event_action: 'trigger',
      payload: { severity: 'critical', summary: 'CRITICAL ServiceDown' },
    });
    expect(pager).toContain('docs/runbooks/ServiceDown.md');
  });
});
