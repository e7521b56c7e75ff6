import { ArtifactRef } from '@devmesh/contracts/artifact';
import type { RunEvent } from '@devmesh/contracts/event';
import { parseExecutionKey } from '@devmesh/contracts/ids';
import type { Json } from '@devmesh/contracts/json';
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

/** The artifacts that the outputs in these events name, each with the step that produced it. */
export function artifactsIn(events: readonly RunEvent[]): AppendOp['artifacts'] {
  return events.flatMap((event) => {
    if (event.type !== 'StepCompleted' || event.outcome.kind !== 'succeeded') return [];
    const found: ArtifactRef[] = [];
    find(event.outcome.output, found);
    const { iteration } = parseExecutionKey(event.key);
    const unique = new Map(found.map((artifact) => [`${artifact.digest} ${artifact.name}`, artifact]));
    return [...unique.values()].map((artifact) => ({ ...artifact, step: event.step, iteration }));
  });
}
