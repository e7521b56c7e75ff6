import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredEvent } from '@devmesh/contracts/event';
import type { RunView } from '@devmesh/contracts/gateway-api';
import { SERVICE_NAMES } from '@devmesh/contracts/services';
import { removeAll } from '@devmesh/repository/testing/sample-git';
import { JaegerServer, type JaegerSpan } from '@devmesh/testing/jaeger';
import { describeWith } from '@devmesh/testing/peers';
import { ScriptedForge } from '@devmesh/testing/scripted-forge';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Devmesh, type RunResult, type Said } from '../support/devmesh.js';
import { forgeSettings, serveSmallRepository } from '../support/forge.js';

/** Whoever takes it up after the approval is woken over the queue. */
const ASKS = `
name: asks
finish: false
steps:
  - { id: before, action: rag-context/index }
  - { id: consent, needs: before, approval: { title: "Is it fine?" } }
  - { id: after, needs: consent, action: rag-context/index }
`;
/** Its second step is handed an index that nobody has. */
const FAILS = `
name: fails
finish: false
steps:
  - { id: look, action: rag-context/index }
  - id: find
    needs: look
    action: rag-context/search
    with: { index: { digest: "${'0'.repeat(64)}", name: none, mediaType: application/json, size: 1 }, query: token }
`;

const traceOf = (run: string): string => run.replaceAll('-', '');
const isEngine = ({ tags }: JaegerSpan): boolean => tags['otel.scope.name'] === '@devmesh/engine';
const hasFailed = ({ tags }: JaegerSpan): boolean => tags['error'] === true;
const names = (spans: readonly JaegerSpan[]): string[] => spans.map(({ name }) => name).toSorted();

describeWith(['jaeger'], 'runs of a mesh, as Jaeger tells them', () => {
  let jaeger: JaegerServer;
  let forge: ScriptedForge;
  let repository: string;
  let validated: Said;
  const runs = { delivered: '', asked: '', failed: '', retried: '' };
  let completed: readonly string[];

  beforeAll(async () => {
    jaeger = await JaegerServer.start();
    forge = new ScriptedForge();
    repository = await serveSmallRepository(forge);
    const devmesh = await Devmesh.make(inject('clone'), {
      ...forgeSettings(forge),
      OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.endpoint,
      OTEL_TRACES_SAMPLER_ARG: '1',
    });
    const run = async (...args: string[]): Promise<string> =>
      (await devmesh.json<RunResult>(['run', '--repo', repository, ...args])).data.run.id;
    const file = (name: string, source: string): string => {
      const path = join(devmesh.folder, `${name}.yaml`);
      writeFileSync(path, source);
      return path;
    };
    try {
      runs.delivered = await run();
      const { events } = (await devmesh.json<{ events: StoredEvent[] }>(['events', runs.delivered])).data;
      completed = events.flatMap(({ event }) => (event.type === 'StepCompleted' ? [event.step] : []));
      runs.asked = await run('--workflow', file('asks', ASKS), '--detach');
      const [approval] = await devmesh.asked(runs.asked);
      expect(await devmesh.run(['approve', approval?.id ?? '', '--yes'])).toMatchObject({ code: 0 });
      await devmesh.until<RunView>(`/v1/runs/${runs.asked}`, ({ status }) => status === 'ended');
      runs.failed = await run('--workflow', file('fails', FAILS));
      runs.retried = (await devmesh.json<RunResult>(['retry', runs.failed])).data.run.id;
      validated = await validate(devmesh);
    } finally {
      // Ending sends what waits to be exported.
      await devmesh.remove();
    }
  });
  afterAll(async () => {
    await jaeger.stop();
    await forge.stop();
    removeAll(repository);
  });

  function validate(devmesh: Devmesh): Promise<Said> {
    const args = ['--gateway', devmesh.gateway, '--jaeger', jaeger.url, '--repository', forge.readable];
    const script = join(devmesh.clone, 'deploy/validate-tracing.sh');
    return new Promise((resolve, reject) => {
      const keyFile = join(devmesh.home, 'api-key');
      const child = execFile(script, [...args, '--key-file', keyFile], (_, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
      child.once('error', reject);
    });
  }

  it('are all there', async () => {
    expect(await jaeger.find('orchestrator', 'run deliver')).toEqual([traceOf(runs.delivered)]);
    expect(await jaeger.find('orchestrator', 'run asks')).toEqual([traceOf(runs.asked)]);
    expect((await jaeger.find('orchestrator', 'run fails')).toSorted()).toEqual(
      [runs.failed, runs.retried].map(traceOf).toSorted(),
    );
  });

  it('are one trace each, from the gateway to the database', async () => {
    const spans = await jaeger.trace(traceOf(runs.delivered));
    expect([...new Set(spans.map(({ service }) => service))].toSorted()).toEqual(SERVICE_NAMES.toSorted());
    const statements = spans.filter(({ tags }) => String(tags['otel.scope.name']).endsWith('instrumentation-pg'));
    expect(statements.some(({ service }) => service === 'state-persistence')).toBe(true);
    const steps = spans.filter((span) => isEngine(span) && span.name.startsWith('step '));
    expect(names(steps)).toEqual(completed.map((step) => `step ${step}`).toSorted());
    for (const { id } of steps)
      expect(spans.filter(({ parent, name }) => parent === id && name.startsWith('execute '))).toHaveLength(1);
  });

  it.each(Object.keys(runs) as (keyof typeof runs)[])('have no span without its parent: %s', async (run) => {
    const spans = await jaeger.trace(traceOf(runs[run]));
    const ids = new Set(spans.map(({ id }) => id));
    const tops = spans.filter(({ parent }) => parent === undefined);
    expect(tops).toMatchObject([{ service: 'orchestrator', name: expect.stringMatching(/^run /) as string }]);
    expect(spans.filter(({ parent }) => parent !== undefined && !ids.has(parent))).toEqual([]);
  });

  it('stay one trace over an approval, with what they waited on the queue', async () => {
    const spans = (await jaeger.trace(traceOf(runs.asked))).filter(isEngine);
    const top = spans.find(({ name }) => name === 'run asks');
    const queued = spans.filter(({ name }) => name === 'queue');
    expect(queued.length).toBeGreaterThan(0);
    for (const span of queued) expect(span).toMatchObject({ service: 'orchestrator', parent: top?.id });
    expect(names(spans.filter(({ name }) => name.startsWith('step ')))).toEqual(
      expect.arrayContaining(['step after', 'step before']),
    );
    expect(spans.filter(hasFailed)).toEqual([]);
  });

  it('point at the step that failed', async () => {
    const spans = (await jaeger.trace(traceOf(runs.failed))).filter(isEngine);
    expect(names(spans.filter(hasFailed))).toEqual(['execute rag-context/search', 'run fails', 'step find']);
    const step = spans.find(({ name }) => name === 'step find');
    const execution = spans.find(({ parent }) => parent === step?.id);
    expect(execution).toMatchObject({ service: 'rag-context', name: 'execute rag-context/search' });
    // The agent says why, and the step says it on.
    const said = execution?.tags['otel.status_description'];
    expect(said).toEqual(expect.stringMatching(/\S/));
    expect(step?.tags['otel.status_description']).toBe(said);
  });

  it('lead from one that goes on to the first', async () => {
    const [first, again] = [runs.failed, runs.retried].map(traceOf);
    const top = (await jaeger.trace(again ?? '')).find(({ parent }) => parent === undefined);
    expect(top?.links).toContain(first);
    expect((await jaeger.trace(first ?? '')).flatMap(({ links }) => links)).not.toContain(again);
  });

  it('are found whole by deploy/validate-tracing.sh', () => {
    expect(validated).toMatchObject({ code: 0, stderr: '' });
    expect(validated.stdout).toMatch(/^trace [0-9a-f]{32} is whole: http/m);
  });
});
