import { execFile } from 'node:child_process';
import { createServer, request } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scriptKeys } from '../testing/scripted-mesh.js';
import { KEY, TestGateway } from '../testing/test-gateway.js';

const require = createRequire(import.meta.url);
const TOOL = require.resolve('@modelcontextprotocol/conformance/dist/index.js');
/** Scenarios that call tools, prompts and resources of a server made for them, which this one is not. */
const BASELINE = fileURLToPath(new URL('conformance.expected-failures.yaml', import.meta.url));

const gateway = new TestGateway();
/** The tool can show no key: this puts it on, and leaves all else as it came. */
const withKey = createServer((from, to) => {
  const headers = { ...from.headers, authorization: `Bearer ${KEY}` };
  const passed = request(`${gateway.url}${from.url}`, { method: from.method ?? 'GET', headers }, (answer) => {
    to.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(to);
  });
  passed.once('error', () => to.destroy());
  from.pipe(passed);
});

beforeAll(async () => {
  await gateway.start();
  scriptKeys(gateway);
  await new Promise<void>((resolve) => withKey.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  withKey.closeAllConnections();
  await new Promise((resolve) => withKey.close(resolve));
  await gateway.close();
});

it('does what the conformance tool of the protocol asks of every server', async () => {
  const url = `http://127.0.0.1:${(withKey.address() as AddressInfo).port}/mcp`;
  const { code, text } = await new Promise<{ code: number | null; text: string }>((resolve) => {
    let text = '';
    const child = execFile(process.execPath, [TOOL, 'server', '--url', url, '--expected-failures', BASELINE]);
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: string) => (text += chunk));
    child.once('close', (code) => resolve({ code, text }));
  });
  // It fails on a scenario that fails unexpectedly, and on one of the baseline that passes.
  expect(code, text).toBe(0);
  for (const scenario of ['server-initialize', 'ping', 'tools-list', 'dns-rebinding-protection'])
    expect(text).toMatch(new RegExp(`✓ ${scenario}`));
}, 60_000);
