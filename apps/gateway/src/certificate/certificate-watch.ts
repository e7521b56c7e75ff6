import { connect } from 'node:tls';
import type { Metrics } from '@devmesh/service-kit/metrics/metrics';
import { remembered } from '@devmesh/service-kit/metrics/remembered';

/** How old an answer may be at a scrape, ms. */
const FRESH_MS = 10 * 60_000;
const TIMEOUT_MS = 5_000;

export interface CertificateWatchOptions {
  readonly metrics: Metrics;
  /** Where people reach the mesh. */
  readonly url: string;
  /** Unix ms. */
  readonly now: () => number;
  readonly read?: (url: URL) => Promise<Date>;
}

/**
 * Exports when the certificate ends that the public door shows, whoever terminates TLS there. While it can't be read, nothing is
 * exported.
 */
export function watchCertificate({ metrics, url: given, now, read = certificateEnd }: CertificateWatchOptions): void {
  const url = new URL(given);
  if (url.protocol !== 'https:') return;
  const end = remembered(() => read(url), FRESH_MS, now);
  metrics.gauge('certificate_expiry_timestamp_seconds', async (gauge) => {
    try {
      gauge.set({ host: url.host }, (await end()).getTime() / 1000);
    } catch {
      gauge.reset();
    }
  });
}

/** When the certificate of a server ends. It is only read: whether anybody would trust it is not the question here. */
export function certificateEnd(url: URL): Promise<Date> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: url.hostname,
      port: Number(url.port || 443),
      servername: url.hostname,
      rejectUnauthorized: false,
      timeout: TIMEOUT_MS,
    });
    socket.once('secureConnect', () => {
      const end = new Date(socket.getPeerCertificate().valid_to);
      socket.destroy();
      if (Number.isNaN(end.getTime())) reject(new Error(`${url.host} shows no certificate with an end`));
      else resolve(end);
    });
    socket.once('timeout', () => socket.destroy(new Error(`${url.host} did not answer within ${TIMEOUT_MS / 1000} s`)));
    socket.once('error', reject);
  });
}
