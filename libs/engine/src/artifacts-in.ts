import { ArtifactRef } from '@devmesh/contracts/artifact';
import type { RunEvent } from '@devmesh/contracts/event';
import { parseExecutionKey, type StepId } from '@devmesh/contracts/ids';
import type { Json } from '@devmesh/contracts/json';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { AppendOp } from '@devmesh/contracts/state-api';

function find(value: Json | undefined, found: ArtifactRef[]): void {
  if (value === null || typeof value !== 'object') return;
  if (Array.isArray(value)) {
    for (const item of value) find(item, found);
    return;
  }
  if ('digest' in value && 'mediaType' in value) {
    const artifact = ArtifactRef.safeParse(value);
    if (artifact.success) found.push(artifact.data);
    return;
  }
  for (const member of Object.values(value)) find(member, found);
}

/** The artifacts that the outputs in these events name, inherited ones too, each with the step that produced it. */
export function artifactsIn(events: readonly RunEvent[]): AppendOp['artifacts'] {
  return events.flatMap((event) => {
    if (event.type === 'StepsInherited') {
      return event.steps.flatMap(({ step, iteration, outcome }) => artifactsOf(step, iteration, outcome));
    }
    if (event.type !== 'StepCompleted') return [];
    return artifactsOf(event.step, parseExecutionKey(event.key).iteration, event.outcome);
  });
}

function artifactsOf(step: StepId, iteration: number, outcome: Outcome | null): AppendOp['artifacts'] {
  if (outcome?.kind !== 'succeeded') return [];
  const found: ArtifactRef[] = [];
  find(outcome.output, found);
  const unique = new Map(found.map((artifact) => [`${artifact.digest} ${artifact.name}`, artifact]));
  return [...unique.values()].map((artifact) => ({ ...artifact, step, iteration }));
}
