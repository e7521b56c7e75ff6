import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from '../check/command.ts';
import { run } from './testing/programs.ts';
import { completed, RUN, startScriptedGateway, type ScriptedGateway } from './testing/scripted-gateway.ts';
import { traceIdOf } from './tracing.ts';

const script = join(root, 'deploy/validate-tracing.sh');
const folder = mkdtempSync(join(tmpdir(), 'devmesh-tracing-'));
const keyFile = join(folder, 'key');
writeFileSync(keyFile, 'key\n');
const started: ScriptedGateway[] = [];
afterAll(() => {
  for (const one of started) one.stop();
  rmSync(folder, { recursive: true });
});

/** A scripted gateway whose run passes, and a scripted Jaeger with these spans: id, service, name, parent. */
async function mesh(spans: readonly (readonly [string, string, string, string?])[]): Promise<string[]> {
  const events = { events: [completed('review')], progress: [], ended: true };
  const gateway = await startScriptedGateway([['ended', 'passed']], { [`/v1/runs/${RUN}/events`]: [200, events] });
  const traceId = traceIdOf(RUN);
  const trace = {
    spans: spans.map(([spanID, processID, operationName, parent]) => ({
      spanID,
      processID,
      operationName,
      references: parent === undefined ? [] : [{ refType: 'CHILD_OF', traceID: traceId, spanID: parent }],
    })),
    processes: Object.fromEntries(spans.map(([, service]) => [service, { serviceName: service }])),
  };
  const jaeger = await startScriptedGateway([], { [`/api/traces/${traceId}`]: [200, { data: [trace] }] });
  started.push(gateway, jaeger);
  return [
    '--gateway',
    gateway.url,
    '--jaeger',
    jaeger.url,
    '--key-file',
    keyFile,
    '--repository',
    'https://x.org/r.git',
  ];
}

test('says that the trace of a run is whole, and where it is', async () => {
  const args = await mesh([
    ['1', 'orchestrator', 'run review'],
    ['2', 'gateway', 'submit', '1'],
    ['3', 'orchestrator', 'step review', '1'],
    ['4', 'code-review', 'execute review', '3'],
  ]);
  const { code, text } = await run(script, args);
  expect(text).toContain(`trace ${traceIdOf(RUN)} is whole`);
  expect(code).toBe(0);
});

test.for([
  [['--frob'], 'what is --frob?'],
  [['--host', '-oProxyCommand=x'], 'is no host'],
  [['--repository', 'https://x.org/r.git'], 'say --key-file'],
] as const)('wrong use: %j', async ([args, said]) => {
  expect(await run(script, args)).toMatchObject({ code: 2, text: expect.stringContaining(said) });
});
