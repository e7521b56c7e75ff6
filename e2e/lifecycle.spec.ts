import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredEvent } from '@devmesh/contracts/event';
import type { RunView } from '@devmesh/contracts/gateway-api';
import type { RunGraph } from '@devmesh/contracts/run-graph';
import type { RunPreview } from '@devmesh/contracts/run-preview';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Devmesh } from './support/devmesh.js';
import { processesOf } from './support/leftovers.js';

let devmesh: Devmesh;
let repository: string;
/** A run that was rejected by a person, after two steps that did well. */
let rejected: RunView;

const SOURCE = `
name: life
finish: false
steps:
  - { id: look, action: rag-context/index }
  - { id: find, needs: look, action: rag-context/search, with: { index: "\${{ steps.look.output.index }}", query: hello } }
  - { id: ok, needs: find, approval: { title: "Is it fine?" } }
  - { id: again, needs: ok, action: rag-context/index }
`;

beforeAll(async () => {
  devmesh = await Devmesh.make(inject('clone'));
  repository = makeRepository([['README.md', 'hello\n']]);
  await devmesh.run(['up', '--quiet']);
  const run = await submitted();
  await decide(run, 'reject');
  rejected = await ended(run);
});

afterAll(async () => {
  await devmesh.down();
  const left = processesOf(devmesh.folder);
  await devmesh.remove();
  removeAll(repository);
  expect(left).toEqual([]);
});

function workflowFile(): string {
  const file = join(devmesh.folder, 'life.yaml');
  writeFileSync(file, SOURCE);
  return file;
}

async function submitted(): Promise<string> {
  const args = ['run', '--repo', repository, '--workflow', workflowFile(), '--detach'];
  return (await devmesh.json<{ run: RunView }>(args)).data.run.id;
}

/** Decides on what the run asks, once it asks. */
async function decide(run: string, verb: 'approve' | 'reject'): Promise<void> {
  const [asked] = await devmesh.asked(run);
  await devmesh.run([verb, asked?.id ?? '', '--yes']);
}

async function ended(run: string): Promise<RunView> {
  return (await devmesh.json<{ run: RunView }>(['show', run, '--follow'])).data.run;
}

async function eventsOf(run: string): Promise<StoredEvent['event'][]> {
  const { data } = await devmesh.json<{ events: StoredEvent[] }>(['events', run]);
  return data.events.map(({ event }) => event);
}

async function goneOn(...args: string[]): Promise<RunView> {
  return (await devmesh.json<{ run: RunView }>([...args, '--detach'])).data.run;
}

/** The steps that the run itself did, in order. */
async function done(run: string): Promise<string[]> {
  return (await eventsOf(run)).flatMap((event) => (event.type === 'StepScheduled' ? [event.step] : []));
}

describe('a run that goes on from another one', () => {
  it('retries what did not go well, keeps the rest, and asks anew', async () => {
    expect(rejected).toMatchObject({ verdict: 'rejected' });
    const { id, forkOf } = await goneOn('retry', rejected.id);
    expect(forkOf).toMatchObject({ runId: rejected.id, kind: 'retry' });
    await decide(id, 'approve');
    const over = await ended(id);
    expect(over.verdict).toBe('passed');
    expect(await done(id)).toEqual(['again']);
    const { data } = await devmesh.json<{ artifacts: { step: string }[] }>(['show', id]);
    expect(data.artifacts.map(({ step }) => step)).toContain('look');
    expect((await devmesh.run(['show', id])).stdout).toContain(`retry of run ${rejected.id}`);
    const refused = await devmesh.run(['retry', id]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('nothing to retry') as string]);
  });

  it('reruns from a step', async () => {
    const { id } = await goneOn('rerun', rejected.id, '--from', 'find');
    await decide(id, 'approve');
    expect((await ended(id)).verdict).toBe('passed');
    expect(await done(id)).toEqual(['find', 'again']);
    const refused = await devmesh.run(['rerun', rejected.id, '--from', 'nothing']);
    expect(refused.stderr).toContain('name one of look, find, ok, again');
  });

  it('forks from a step with another input, as the run was after an event', async () => {
    const file = join(devmesh.folder, 'input.json');
    writeFileSync(file, '{"query": "goodbye"}');
    const { id } = await goneOn('fork', rejected.id, '--from', 'find', '--input', `@${file}`);
    await decide(id, 'approve');
    expect((await ended(id)).verdict).toBe('passed');
    const inputs = (await eventsOf(id)).flatMap((event) => (event.type === 'StepScheduled' ? [event.input] : []));
    expect(inputs[0]).toMatchObject({ query: 'goodbye' });
    const early = await goneOn('fork', rejected.id, '--from', 'find', '--input', '{}', '--at', '1');
    await decide(early.id, 'approve');
    await ended(early.id);
    expect(await done(early.id)).toEqual(['look', 'find', 'again']);
    const refused = await devmesh.run(['fork', rejected.id, '--from', 'find', '--input', '{"nonsense": 1}']);
    expect(refused.stderr).toContain('rag-context/search has no nonsense');
  });
});

describe('a run as a file', () => {
  it('goes into another mesh with its content, where it is shown and goes on', async () => {
    const file = join(devmesh.folder, 'run.json');
    expect((await devmesh.run(['export', rejected.id, '-o', file, '--artifacts'])).code).toBe(0);
    const other = await Devmesh.make(inject('clone'));
    try {
      await other.run(['up', '--quiet']);
      const { data } = await other.json<{ run: RunView }>(['import', file]);
      expect(data.run).toMatchObject({ status: 'ended', verdict: 'rejected', imported: { runId: rejected.id } });
      expect(data.run.steps.map(({ status }) => status)).toEqual(rejected.steps.map(({ status }) => status));
      const shown = await other.json<{ artifacts: { step: string }[] }>(['show', data.run.id]);
      expect(shown.data.artifacts.map(({ step }) => step)).toContain('look');
      const args = ['rerun', data.run.id, '--from', 'find', '--detach'];
      const { id } = (await other.json<{ run: RunView }>(args)).data.run;
      const over = (status = '') => status === 'succeeded' || status === 'failed';
      const now = await other.until<RunView>(`/v1/runs/${id}`, ({ steps }) => over(steps[1]?.status));
      expect(now.steps[1]?.status).toBe('succeeded');
      writeFileSync(file, '{"format": "devmesh-run", "version": 9}');
      const refused = await other.run(['import', file]);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('version') as string]);
    } finally {
      await other.down();
      await other.remove();
    }
  });
});

describe('a dry run', () => {
  it('says what a run would do, and starts nothing', async () => {
    const before = (await devmesh.json<{ runs: unknown[] }>(['runs'])).data.runs.length;
    const args = ['run', '--dry-run', '--repo', repository, '--workflow', workflowFile()];
    const { data } = await devmesh.json<{ preview: RunPreview }>(args);
    expect(data.preview).toMatchObject({
      waves: [['look'], ['find'], ['ok'], ['again']],
      approvals: [{ step: 'ok', title: 'Is it fine?' }],
      missingAgents: [],
    });
    const shown = await devmesh.run(args);
    expect(shown.stdout).toContain('asks: Is it fine?');
    expect(shown.stdout).toContain('nothing was started');
    expect((await devmesh.json<{ runs: unknown[] }>(['runs'])).data.runs).toHaveLength(before);
  });
});

describe('a graph', () => {
  it('is drawn of a run and of a shipped workflow', async () => {
    const drawn = await devmesh.run(['graph', rejected.id]);
    expect(drawn.stdout).toMatch(/^flowchart TD\n {2}s0\["look<br\/>rag-context\/index"\]:::succeeded\n/);
    expect(drawn.stdout).toContain('{"ok<br/>Is it fine?"}:::rejected');
    const { data } = await devmesh.json<{ graph: RunGraph }>(['graph', 'deliver']);
    expect(data.graph).toMatchObject({ workflow: 'deliver', runId: null });
  });
});

describe('a run as it was', () => {
  it('is shown after any of its events', async () => {
    const { data } = await devmesh.json<{ run: RunView }>(['show', rejected.id, '--at', '2']);
    expect(data.run).toMatchObject({ status: 'running', verdict: null, lastSeq: 2 });
    expect(data.run.steps.map(({ status }) => status)).toEqual(['running', 'pending', 'pending', 'pending']);
    const refused = await devmesh.run(['show', rejected.id, '--at', '9999']);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('at is a number from 1 to') as string]);
  });
});
