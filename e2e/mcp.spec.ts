import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client, StreamableHTTPClientTransport, type Progress } from '@modelcontextprotocol/client';
import { FindingPage } from '@devmesh/contracts/finding-fate';
import { RunList, RunView } from '@devmesh/contracts/gateway-api';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Devmesh } from './support/devmesh.js';
import { processesOf } from './support/leftovers.js';

interface Configured {
  readonly servers: { readonly devmesh: { readonly url: string; readonly headers: Readonly<Record<string, string>> } };
}

let devmesh: Devmesh;
let sample: string;
let client: Client;

/** As the editor connects: by .vscode/mcp.json, with the key put in that it asks for. */
beforeAll(async () => {
  devmesh = await Devmesh.make(inject('clone'), { DEVMESH_CLONE_PROTOCOLS: '["file"]' });
  await devmesh.run(['up', '--quiet']);
  // Makes the sample repository, and answers at once.
  await devmesh.run(['run', '--dry-run']);
  sample = pathToFileURL(join(devmesh.home, 'sample', 'shop')).href;
  const text = readFileSync(join(devmesh.clone, '.vscode/mcp.json'), 'utf8').replace(/^\/\/.*\n/, '');
  const { url, headers } = (JSON.parse(text) as Configured).servers.devmesh;
  const key = readFileSync(join(devmesh.home, 'api-key'), 'utf8').trim();
  const authorization = headers['Authorization']?.replace('${input:devmesh-key}', key) ?? '';
  client = new Client({ name: 'e2e', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  const place = new URL(new URL(url).pathname, devmesh.gateway);
  await client.connect(new StreamableHTTPClientTransport(place, { requestInit: { headers: { authorization } } }));
});

afterAll(async () => {
  await client.close();
  await devmesh.down();
  const left = processesOf(devmesh.folder);
  await devmesh.remove();
  expect(left).toEqual([]);
});

async function call(
  name: string,
  input: Record<string, unknown>,
  onprogress?: (line: string) => void,
): Promise<unknown> {
  const options =
    onprogress === undefined ? {} : { onprogress: ({ message = '' }: Progress): void => onprogress(message) };
  const { isError, content, structuredContent } = await client.callTool({ name, arguments: input }, options);
  if (isError === true) throw new Error(JSON.stringify(content));
  return structuredContent;
}

it('an assistant has the sample repository delivered, and reads what came of it', async () => {
  const workflow = { name: 'deliver' };
  const submit = { repository: { url: sample }, workflow, idempotencyKey: 'once' };
  const { id } = RunView.parse(await call('submit_run', submit));
  const heard: string[] = [];
  let run: RunView;
  do run = RunView.parse(await call('wait_for_run', { runId: id }, (line) => heard.push(line)));
  while (run.status !== 'ended');
  expect(run).toMatchObject({ id, verdict: 'passed', workflow: 'deliver' });
  expect(heard.at(-1)).toBe('end');
  expect(heard.some((line) => line.endsWith('StepCompleted review'))).toBe(true);
  // The same submit again starts no second one.
  expect(RunView.parse(await call('submit_run', submit)).id).toBe(id);
  expect(RunList.parse(await call('list_runs', {})).items.map((each) => each.id)).toEqual([id]);

  const read = async (file: string): Promise<string> => {
    const { contents } = await client.readResource({ uri: `devmesh://runs/${id}/${file}` });
    return contents.map((each) => ('text' in each ? each.text : '')).join('');
  };
  expect(await read('report.md')).toContain(id);
  const sarif = JSON.parse(await read('findings.sarif')) as { version: string; runs: { results: unknown[] }[] };
  expect(sarif.version).toBe('2.1.0');
  const { items } = FindingPage.parse(await call('list_findings', { runId: id }));
  expect(items.length).toBeGreaterThan(0);
  await expect(call('cancel_run', { runId: id })).resolves.toMatchObject({ status: 'ended', verdict: 'passed' });
});
