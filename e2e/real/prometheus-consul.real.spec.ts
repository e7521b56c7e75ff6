import { SERVICE_NAMES } from '@devmesh/contracts/services';
import { ConsulAgent } from '@devmesh/testing/consul';
import { describeWith } from '@devmesh/testing/peers';
import type { PrometheusServer, Sample } from '@devmesh/testing/prometheus';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { Devmesh } from '../support/devmesh.js';
import { scraping } from './prometheus-mesh.ts';

/** Prometheus asks Consul again 30 s after an answer, at the latest; then what is there now is scraped. */
const SOON = { timeout: 90_000, interval: 250 };

describeWith(['consul', 'prometheus'], 'a Prometheus that asks Consul where the services are', () => {
  let consul: ConsulAgent;
  let devmesh: Devmesh;
  let prometheus: PrometheusServer;

  beforeAll(async () => {
    consul = await ConsulAgent.start();
    // It is there before anything that it could scrape.
    prometheus = await scraping({ from: 'consul', address: consul.address });
    devmesh = await Devmesh.make(inject('clone'));
    const up = ['up', '--quiet', '--consul', consul.address, '--instances', 'code-review=2'];
    expect(await devmesh.run(up)).toMatchObject({ code: 0, stderr: '' });
  });
  afterAll(async () => {
    await devmesh.remove();
    await prometheus.stop();
    await consul.stop();
  });

  const registered = async (): Promise<string[]> => {
    const entries = await Promise.all(SERVICE_NAMES.map((name) => consul.entries(name)));
    return entries.flat().map(({ Service }) => Service.ID);
  };
  const label = (samples: readonly Sample[], name: string): string[] =>
    samples.map(({ labels }) => labels[name] ?? '').toSorted();

  it('scrapes all nine, and the second instance of one, each by the name and id that Consul has', async () => {
    await vi.waitFor(async () => {
      const up = await prometheus.query('up == 1');
      expect(label(up, 'job')).toEqual([...SERVICE_NAMES, 'code-review'].toSorted());
      expect(label(up, 'instance')).toEqual((await registered()).toSorted());
    }, SOON);
    const scraped = await prometheus.query('sum by (job) (process_resident_memory_bytes)');
    expect(label(scraped, 'job')).toEqual(SERVICE_NAMES.toSorted());
  });

  it('scrapes none of them any more when the mesh is stopped, and misses each', async () => {
    expect(await devmesh.down()).toMatchObject({ code: 0 });
    await vi.waitFor(async () => {
      expect(await prometheus.query('up')).toEqual([]);
      const missed = await prometheus.query('ALERTS{alertname="ServiceDown",alertstate="pending"}');
      expect(label(missed, 'job')).toEqual(SERVICE_NAMES.toSorted());
    }, SOON);
  });
});
