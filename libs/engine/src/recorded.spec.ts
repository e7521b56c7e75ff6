import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { StepId } from '@devmesh/contracts/ids';
import { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { apply } from '@devmesh/workflow/evolve';
import { graphOf } from '@devmesh/workflow/graph';
import type { RunState } from '@devmesh/workflow/state';
import { describe, expect, it } from 'vitest';
import { upcast } from './upcast.js';

const FOLDER = fileURLToPath(new URL('../recorded', import.meta.url));

/** What `devmesh export` wrote, perhaps a long time ago: nothing of it is parsed but by what reads stored runs. */
interface Recorded {
  readonly runId: string;
  readonly workflow: unknown;
  readonly events: readonly unknown[];
}

const names = readdirSync(FOLDER).flatMap((file) => /^(.*)(?<!\.projection)\.json$/.exec(file)?.[1] ?? []);

/** The part of a run that must read the same for ever. */
function project({ runId, workflow, events }: Recorded) {
  const graph = graphOf(WorkflowDefinition.parse(workflow));
  const scheduled: string[] = [];
  let state: RunState | null = null;
  for (const stored of events) {
    const event = upcast(stored);
    state = apply(graph, runId, state, event);
    if (event.type === 'StepScheduled') scheduled.push(event.key.slice(runId.length + 1));
  }
  const steps: [StepId, string][] = Object.entries(state?.steps ?? {}).map(([id, { phase, iteration, attempt }]) => [
    id,
    `${phase} ${iteration}/${attempt}`,
  ]);
  return { verdict: state?.ended?.verdict ?? null, reason: state?.ended?.reason ?? null, steps, scheduled };
}

describe('recorded runs', () => {
  it('are there, of the first version too', () => {
    expect(names.filter((name) => name.startsWith('0.1.0-')).length).toBeGreaterThanOrEqual(3);
    expect(names.length).toBeGreaterThanOrEqual(6);
  });

  it.each(names)('%s reads as it did', async (name) => {
    const recorded = JSON.parse(readFileSync(`${FOLDER}/${name}.json`, 'utf8')) as Recorded;
    const projection = `${JSON.stringify(project(recorded), null, 2)}\n`;
    await expect(projection).toMatchFileSnapshot(`${FOLDER}/${name}.projection.json`);
  });

  it('would not read without one of their events', () => {
    const recorded = JSON.parse(readFileSync(`${FOLDER}/0.1.0-rework.json`, 'utf8')) as Recorded;
    expect(() => project({ ...recorded, events: recorded.events.toSpliced(3, 1) })).toThrow();
  });
});
