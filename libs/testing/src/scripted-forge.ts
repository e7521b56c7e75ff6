import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveGit } from '@devmesh/repository/testing/git-http-server';

export interface ScriptedPullRequest {
  readonly number: number;
  title: string;
  body: string;
  readonly head: string;
  readonly base: string;
  state: 'open' | 'closed';
}

/** What a call of the forge is about, for tests that disturb it. */
export type ForgeCall = 'git' | 'list' | 'create' | 'update';

/** What happens to a call: answered with this status, or its connection broken before or after it took effect. */
export type Disturbance = { readonly status: number } | 'break_before' | 'break_after';

/**
 * A scripted stand-in for a forge, on the loopback: git over HTTP for one repository, and the part of the REST API of GitHub
 * that pull requests need. It refuses what a forge refuses: a wrong token, a second open pull request for a head, a branch that
 * is not there. Never a forge: it keeps what it is told and knows nothing else.
 */
export class ScriptedForge {
  readonly token = 'token-of-a-scripted-forge';
  readonly pulls: ScriptedPullRequest[] = [];
  /** Calls that took effect, by kind. */
  readonly effects: Record<ForgeCall, number> = { git: 0, list: 0, create: 0, update: 0 };
  /** Asked for each call; undefined lets it be. */
  disturb: (call: ForgeCall) => Disturbance | undefined = () => undefined;
  readonly #folder = mkdtempSync(join(tmpdir(), 'scripted-forge-'));
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The repository's URL, as a user has it. */
  get remote(): string {
    return `${this.url}/acme/shop.git`;
  }

  /** The same with what it takes to read it. */
  get readable(): string {
    return this.remote.replace('://', `://x-access-token:${this.token}@`);
  }

  get gitDir(): string {
    return join(this.#folder, 'acme', 'shop.git');
  }

  /** Serves what this repository has. */
  async start(repository: string): Promise<void> {
    execFileSync('git', ['clone', '--quiet', '--bare', repository, this.gitDir]);
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Where a branch is; null when there is none. */
  branch(name: string): string | null {
    const found = execFileSync('git', [
      '-C',
      this.gitDir,
      'for-each-ref',
      '--format=%(objectname)',
      `refs/heads/${name}`,
    ]);
    return found.toString().trim() || null;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://forge');
    const isRest = pathname.startsWith('/api/');
    const basic = `Basic ${Buffer.from(`x-access-token:${this.token}`).toString('base64')}`;
    const { authorization } = request.headers;
    if (authorization !== `Bearer ${this.token}` && authorization !== basic) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="forge"' }).end('{"message":"Bad credentials"}');
      return;
    }
    if (!isRest) {
      const takes = pathname.endsWith('/git-receive-pack') && request.method === 'POST';
      if (takes && this.#isDisturbed('git', response)) return;
      if (takes) this.effects.git++;
      serveGit(this.#folder, request, response, true);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>);
    const number = /^\/api\/repos\/acme\/shop\/pulls\/(\d+)$/.exec(pathname)?.[1];
    const call: ForgeCall | undefined =
      number !== undefined && request.method === 'PATCH'
        ? 'update'
        : pathname !== '/api/repos/acme/shop/pulls'
          ? undefined
          : request.method === 'POST'
            ? 'create'
            : 'list';
    if (call === undefined) return answer(response, 404, { message: 'Not Found' });
    const disturbance = this.disturb(call);
    if (disturbance === 'break_before') {
      response.destroy();
      return;
    }
    if (typeof disturbance === 'object') return answer(response, disturbance.status, { message: 'scripted' });
    const [status, reply] = this.#act(call, Number(number), body, searchParams);
    if (disturbance === 'break_after') response.destroy();
    else answer(response, status, reply);
  }

  #isDisturbed(call: ForgeCall, response: ServerResponse): boolean {
    const disturbance = this.disturb(call);
    if (disturbance === undefined) return false;
    if (typeof disturbance === 'object') answer(response, disturbance.status, { message: 'scripted' });
    else response.destroy();
    return true;
  }

  #act(call: ForgeCall, number: number, body: Record<string, string>, query: URLSearchParams): [number, unknown] {
    if (call === 'list') {
      const head = query.get('head')?.split(':')[1];
      return [
        200,
        this.pulls.filter((pull) => pull.state === 'open' && pull.head === head).map((pull) => this.#view(pull)),
      ];
    }
    if (call === 'update') {
      const pull = this.pulls.find((one) => one.number === number);
      if (!pull) return [404, { message: 'Not Found' }];
      this.effects.update++;
      Object.assign(pull, { title: body['title'] ?? pull.title, body: body['body'] ?? pull.body });
      return [200, this.#view(pull)];
    }
    const { title = '', head = '', base = '' } = body;
    if (this.branch(head) === null || this.branch(base) === null)
      return [422, { message: 'Validation Failed', errors: [{ field: 'head', code: 'invalid' }] }];
    if (this.pulls.some((pull) => pull.state === 'open' && pull.head === head))
      return [
        422,
        { message: 'Validation Failed', errors: [{ message: `A pull request already exists for acme:${head}.` }] },
      ];
    const pull: ScriptedPullRequest = {
      number: this.pulls.length + 1,
      title,
      body: body['body'] ?? '',
      head,
      base,
      state: 'open',
    };
    this.pulls.push(pull);
    this.effects.create++;
    return [201, this.#view(pull)];
  }

  #view(pull: ScriptedPullRequest): unknown {
    const { number, title, body, state } = pull;
    return {
      number,
      title,
      body,
      state,
      html_url: `${this.url}/acme/shop/pull/${number}`,
      head: { ref: pull.head },
      base: { ref: pull.base },
    };
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
