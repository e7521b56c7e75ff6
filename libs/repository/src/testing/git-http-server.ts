import { execFileSync, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface GitHttpServer {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly url: string;
  readonly requests: readonly { readonly path: string; readonly authorization: string | undefined }[];
  close(): Promise<void>;
}

export interface GitHttpServerOptions {
  /** Repositories are served by their path below this folder; without it every request hangs. */
  readonly root?: string;
  /** Asked for where set. */
  readonly user?: string;
  readonly password?: string;
}

/** Answers a request of a git client with git's own `http-backend`; `writable` takes pushes too. */
export function serveGit(root: string, request: IncomingMessage, response: ServerResponse, writable = false): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_0: 'uploadpack.allowReachableSHA1InWant',
      GIT_CONFIG_VALUE_0: 'true',
      GIT_CONFIG_KEY_1: 'http.receivepack',
      GIT_CONFIG_VALUE_1: String(writable),
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(backend.stdin);
  const chunks: Buffer[] = [];
  backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  backend.on('close', () => {
    const answer = Buffer.concat(chunks);
    const end = answer.indexOf('\r\n\r\n');
    let status = 200;
    for (const line of answer.subarray(0, end).toString().split('\r\n')) {
      const [name = '', value = ''] = line.split(/: (.*)/s);
      if (name === 'Status') status = Number.parseInt(value, 10);
      else if (name !== '') response.setHeader(name, value);
    }
    response.writeHead(status);
    response.end(answer.subarray(end + 4));
  });
}

/** A git server over HTTP on a free port of the loopback: git's own `http-backend`, with optional basic authentication. */
export async function startGitHttpServer(options: GitHttpServerOptions = {}): Promise<GitHttpServer> {
  const requests: { path: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const { authorization } = request.headers;
    requests.push({ path: request.url ?? '', authorization });
    const { root, user, password } = options;
    if (root === undefined) return;
    const expected = `Basic ${Buffer.from(`${user ?? ''}:${password ?? ''}`).toString('base64')}`;
    if (user !== undefined && authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="sample"' }).end();
    } else serveGit(root, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Command lines of the processes of this machine, to look for ones that were left and for secrets in arguments. */
export function commandLines(): string[] {
  return execFileSync('ps', ['-ww', '-A', '-o', 'args=']).toString().split('\n');
}
