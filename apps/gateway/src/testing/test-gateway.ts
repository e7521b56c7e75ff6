import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { createService, type Service } from '@devmesh/service-kit/service';
import { AppModule } from '../app.module.js';
import { GatewayConfig } from '../config.js';
import { assertDocumented } from './documented.js';
import { ScriptedServer } from './scripted-server.js';

export const KEY = `dm_${'a'.repeat(32)}`;
export const OTHER_KEY = `dm_${'b'.repeat(32)}`;
const TOKEN = 'internal-token-of-a-test-0123456789';

/** The real gateway on a free port, in front of scripted stand-ins for state-persistence and the orchestrator. */
export class TestGateway {
  readonly state = new ScriptedServer();
  readonly orchestrator = new ScriptedServer();
  /** Every line that the gateway logged, down to debug. */
  readonly log: string[] = [];
  url = '';
  #home = '';
  #service: Service | undefined;

  /** `clone`: settings of clones that the test is about. */
  async start(clone: object = {}): Promise<void> {
    this.#home = await mkdtemp(join(tmpdir(), 'gateway-'));
    const config = GatewayConfig.parse({
      internalToken: TOKEN,
      home: this.#home,
      endpoints: { 'state-persistence': [await this.state.start()], orchestrator: [await this.orchestrator.start()] },
      clone: { protocols: ['https', 'http', 'file'], ...clone },
      triggers: { enabled: false },
      drainMs: 2_000,
    });
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.log.push(chunk.toString());
        done();
      },
    });
    this.#service = await createService({
      name: 'gateway',
      auth: 'own',
      bodies: 'own',
      config,
      module: AppModule.of(config),
      logger: Logger.create({ service: 'gateway', level: 'debug', stream }),
    });
    this.url = await this.#service.listen(0);
  }

  get home(): string {
    return this.#home;
  }

  /** The service's HTTP application, for tests that look at its routes. */
  get application(): unknown {
    return this.#service?.app.getHttpAdapter().getInstance();
  }

  /** Ends the gateway in order; its stand-ins stay. */
  async closeService(): Promise<void> {
    await this.#service?.close();
  }

  async close(): Promise<void> {
    await this.closeService();
    await this.state.stop();
    await this.orchestrator.stop();
    await rm(this.#home, { recursive: true, force: true });
  }

  /**
   * Calls the gateway, with a right key unless `headers` say otherwise. An empty `authorization` sends none. Throws when the
   * answer is not what the OpenAPI document says of it.
   */
  async call(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers({ authorization: `Bearer ${KEY}` });
    new Headers(init.headers).forEach((value, name) => headers.set(name, value));
    if (headers.get('authorization') === '') headers.delete('authorization');
    const response = await fetch(this.url + path, { ...init, headers });
    await assertDocumented(init.method ?? 'GET', path, response);
    return response;
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const init = { method: 'POST', body: JSON.stringify(body) };
    return this.call(path, { ...init, headers: { 'content-type': 'application/json', ...headers } });
  }

  /** Forgets scripts and calls. Throws when the test made calls that no script was for. */
  endTest(): void {
    const unscripted = [...this.state.unscripted, ...this.orchestrator.unscripted];
    this.state.reset();
    this.orchestrator.reset();
    if (unscripted.length > 0) throw new Error(`calls that no script was for: ${unscripted.join(', ')}`);
  }

  get internalToken(): string {
    return TOKEN;
  }
}
