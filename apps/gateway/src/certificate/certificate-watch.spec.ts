import { Metrics } from '@devmesh/service-kit/metrics/metrics';
import { describe, expect, it } from 'vitest';
import { watchCertificate } from './certificate-watch.js';

const END = new Date('2026-12-24T00:00:00Z');

describe('watchCertificate', () => {
  it('exports the end, asks again after a while, and says nothing when it can not be read', async () => {
    const metrics = new Metrics();
    let now = 0;
    let asked = 0;
    let answer = (): Promise<Date> => Promise.resolve(END);
    watchCertificate({
      metrics,
      url: 'https://mesh.example:8443',
      now: () => now,
      read: () => {
        asked += 1;
        return answer();
      },
    });
    const line = `certificate_expiry_timestamp_seconds{host="mesh.example:8443"} ${END.getTime() / 1000}`;
    expect(await metrics.text()).toContain(line);
    expect(await metrics.text()).toContain(line);
    expect(asked).toBe(1);
    now = 3600_000;
    answer = () => Promise.reject(new Error('gone'));
    expect(await metrics.text()).not.toContain('certificate_expiry_timestamp_seconds{');
    answer = () => Promise.resolve(END);
    expect(await metrics.text()).toContain(line);
    expect(asked).toBe(3);
  });

  it('has nothing to say of a door without TLS', async () => {
    const metrics = new Metrics();
    watchCertificate({ metrics, url: 'http://127.0.0.1:8000', now: () => 0 });
    expect(await metrics.text()).not.toContain('certificate');
  });
});
