import type { ServerResponse } from 'node:http';
import { json, ScriptedServer } from './scripted-server.js';

interface Registered {
  readonly ID: string;
  readonly Name: string;
  readonly Address: string;
  readonly Port: number;
  readonly Meta: Record<string, string>;
  passing: boolean;
}

/**
 * Speaks the part of Consul's HTTP API that we use, from Consul's documentation: registering, deregistering, and blocking health
 * queries with `X-Consul-Index`. Not Consul: no check is ever run, a test says which instance passes.
 */
export class ScriptedConsul {
  readonly services = new Map<string, Registered>();
  readonly #waiting = new Set<() => void>();
  #index = 1;

  private constructor(readonly server: ScriptedServer) {}

  static async start(port = 0): Promise<ScriptedConsul> {
    const server = await ScriptedServer.start(() => undefined, port);
    const consul = new ScriptedConsul(server);
    server.script(({ method, path, body }, response) =>
      consul.#answer(method, new URL(path, server.url), body, response),
    );
    return consul;
  }

  get address(): string {
    return `127.0.0.1:${this.server.port}`;
  }

  put(id: string, name: string, url: string): void {
    const { hostname, port } = new URL(url);
    this.services.set(id, {
      ID: id,
      Name: name,
      Address: hostname,
      Port: Number(port),
      Meta: { instance: id },
      passing: true,
    });
    this.#changed();
  }

  setPassing(id: string, passing: boolean): void {
    const service = this.services.get(id);
    if (service !== undefined) service.passing = passing;
    this.#changed();
  }

  async stop(): Promise<void> {
    await this.server.stop();
  }

  #changed(): void {
    this.#index += 1;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  async #answer(method: string, url: URL, body: Buffer, response: ServerResponse): Promise<void> {
    const [, , group, ...rest] = url.pathname.split('/');
    if (method === 'PUT' && url.pathname === '/v1/agent/service/register') {
      const service = JSON.parse(body.toString()) as Omit<Registered, 'passing'> & { Check?: { Status?: string } };
      this.services.set(service.ID, { ...service, passing: service.Check?.Status === 'passing' });
      this.#changed();
      response.end();
    } else if (method === 'PUT' && url.pathname.startsWith('/v1/agent/service/deregister/')) {
      this.services.delete(decodeURIComponent(rest.at(-1) ?? ''));
      this.#changed();
      response.end();
    } else if (method === 'GET' && group === 'health' && rest[0] === 'service') {
      if (Number(url.searchParams.get('index')) === this.#index) {
        await new Promise<void>((resolve) => {
          this.#waiting.add(resolve);
          response.once('close', resolve);
        });
      }
      const found = [...this.services.values()].filter(
        (service) => service.Name === rest[1] && (service.passing || !url.searchParams.has('passing')),
      );
      json(
        response,
        found.map((Service) => ({ Node: { Address: '127.0.0.1' }, Service, Checks: [] })),
        200,
        {
          'x-consul-index': String(this.#index),
        },
      );
    } else response.writeHead(404).end();
  }
}
