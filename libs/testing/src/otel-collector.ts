import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PeerProcess } from './peer-process.js';

/** It would tell its own metrics at a fixed port. */
const QUIET = { service: { telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } } } };

/** A real OpenTelemetry collector. Needs `otelcol` on the PATH. */
export class OtelCollector extends PeerProcess {
  private constructor(port: number, folder: string, child: ChildProcess) {
    super(port, folder, child);
  }

  /** With these configurations, each as the text of its file, one laid over the other; `port` is where it takes OTLP over HTTP. */
  static async start(port: number, configurations: readonly string[]): Promise<OtelCollector> {
    const folder = mkdtempSync(join(tmpdir(), 'devmesh-collector-'));
    // YAML, of which JSON is a part.
    const args = [...configurations, JSON.stringify(QUIET)].map((text, at) => {
      writeFileSync(join(folder, `${at}.yaml`), text);
      return `--config=${at}.yaml`;
    });
    const headers = { 'content-type': 'application/json' };
    const ask = (): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/v1/traces`, { method: 'POST', headers, body: '{}' });
    return new OtelCollector(port, folder, await PeerProcess.launch('otelcol', folder, args, ask));
  }
}
