import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { freePorts } from './free-ports.js';
import { PeerProcess } from './peer-process.js';

const Streams = z.object({
  data: z.object({
    result: z.array(
      z.object({ stream: z.record(z.string(), z.string()), values: z.array(z.tuple([z.string(), z.string()])) }),
    ),
  }),
});

export interface KeptLine {
  /** Of its stream, and what came with the line. */
  readonly labels: Readonly<Record<string, string>>;
  readonly line: string;
}

/** A real Loki. Needs `loki` on the PATH. */
export class LokiServer extends PeerProcess {
  /** `configure` gives the text of its configuration for the folder that it may write to. It listens on the loopback, whatever that says. */
  static async start(configure: (folder: string) => string): Promise<LokiServer> {
    const folder = mkdtempSync(join(tmpdir(), 'devmesh-loki-'));
    writeFileSync(join(folder, 'loki.yml'), configure(folder));
    const [http = 0, grpc = 0] = await freePorts(2);
    const args = [
      '-config.file=loki.yml',
      '-server.http-listen-address=127.0.0.1',
      `-server.http-listen-port=${http}`,
      '-server.grpc-listen-address=127.0.0.1',
      `-server.grpc-listen-port=${grpc}`,
    ];
    const ask = (): Promise<Response> => fetch(`http://127.0.0.1:${http}/ready`);
    return new LokiServer(http, folder, await PeerProcess.launch('loki', folder, args, ask));
  }

  /** Lines of the last hour that a query in LogQL finds. */
  async query(query: string): Promise<KeptLine[]> {
    const asked = new URLSearchParams({ query, since: '1h', limit: '5000' });
    const answer = await fetch(`${this.url}/loki/api/v1/query_range?${asked.toString()}`);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${query}: ${text}`);
    return Streams.parse(JSON.parse(text)).data.result.flatMap(({ stream, values }) =>
      values.map(([, line]) => ({ labels: stream, line })),
    );
  }
}
