import type { ActionCatalogue } from '@devmesh/contracts/catalogue';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { EventOf, StoredEvent } from '@devmesh/contracts/event';
import type { ForkRun } from '@devmesh/contracts/fork';
import type { RunId } from '@devmesh/contracts/ids';
import type { JsonObject } from '@devmesh/contracts/json';
import type { AppendOp, CreateOp } from '@devmesh/contracts/state-api';
import { artifactsIn } from '@devmesh/engine/artifacts-in';
import type { StateClient } from '@devmesh/service-client/state.client';
import { start } from '@devmesh/workflow/advance';
import { fold } from '@devmesh/workflow/evolve';
import { forkOf, type ForkSource } from '@devmesh/workflow/fork';
import type { Graph } from '@devmesh/workflow/graph';
import { z } from 'zod';
import type { WorkflowStore } from '../state/workflow-store.js';
import { HINT_GRACE_MS, type SubmissionParts } from './run-submission.js';

const EVENTS_PER_PAGE = 1000;

export interface ForkParts extends Pick<SubmissionParts, 'catalogue' | 'instances' | 'now' | 'traceparent'> {
  readonly state: Pick<StateClient, 'run' | 'events' | 'runArtifacts'>;
  readonly workflows: Pick<WorkflowStore, 'graph'>;
}

async function eventsOf(state: ForkParts['state'], runId: RunId): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await state.events(runId, { after: events.at(-1)?.seq ?? 0, limit: EVENTS_PER_PAGE });
    events.push(...page.events);
    if (page.events.length < EVENTS_PER_PAGE) return events;
  }
}

/** The run to go on from, as it stood after event `at`. Throws `gone` for one whose events were pruned. */
async function sourceOf(
  state: ForkParts['state'],
  graph: Graph,
  runId: RunId,
  wanted: number | null,
): Promise<ForkSource> {
  const events = await eventsOf(state, runId);
  const [first] = events;
  if (first?.event.type !== 'RunCreated' || first.seq !== 1) {
    throw new DevmeshError(
      'gone',
      `the events of run ${runId} were removed, so nothing can go on from it: start it anew`,
    );
  }
  const at = wanted ?? events.length;
  if (at > events.length) {
    const message = `run ${runId} has ${events.length} events: at is a number from 1 to ${events.length}`;
    throw new DevmeshError('invalid_request', message);
  }
  const counted = events.slice(0, at).map(({ event }) => event);
  return { created: first.event, state: fold(graph, runId, null, counted), at };
}

/**
 * What the new run refers to from its first moment on, so that it outlives its source: the artifacts of the outputs that it inherits, and
 * whatever else of the source's these name in passing, such as the bundles of earlier rounds that a repository is made of.
 */
async function inheritedArtifacts(
  state: ForkParts['state'],
  source: RunId,
  inherited: EventOf<'StepsInherited'> | null,
): Promise<AppendOp['artifacts']> {
  if (inherited === null) return [];
  const text = JSON.stringify(inherited);
  const named = (await state.runArtifacts(source)).filter(({ digest }) => text.includes(digest));
  const all = [...artifactsIn([inherited]), ...named];
  return [...new Map(all.map((one) => [`${one.digest} ${one.step} ${one.iteration} ${one.name}`, one])).values()];
}

/** The members are those of the action's input, and of its types; whether the whole input is complete, the run shows. */
function checkInput(catalogue: ActionCatalogue, action: string | undefined, input: JsonObject): void {
  const schema = action === undefined ? undefined : catalogue.get(action)?.input;
  if (!(schema instanceof z.ZodObject)) return;
  const shape = schema.shape as Record<string, z.ZodType>;
  const issues = Object.entries(input).flatMap(([name, value]) => {
    const member = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (member === undefined) {
      return schema.def.catchall === undefined
        ? [
            {
              pointer: `/input/${name}`,
              message: `${action ?? ''} has no ${name}; it has ${Object.keys(shape).join(', ')}`,
            },
          ]
        : [];
    }
    const parsed = member.safeParse(value);
    return parsed.success
      ? []
      : [{ pointer: `/input/${name}`, message: parsed.error.issues[0]?.message ?? 'not valid' }];
  });
  if (issues.length === 0) return;
  const shown = issues.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ');
  throw new DevmeshError('invalid_input', `the input of the fork is not valid: ${shown}`, { issues });
}

/** The create of a run that goes on from `source`: what it inherits, and its first decisions. */
export async function prepareFork(parts: ForkParts, source: RunId, runId: RunId, request: ForkRun): Promise<CreateOp> {
  const record = await parts.state.run(source);
  const graph = await parts.workflows.graph(record.workflowDigest);
  const from = await sourceOf(parts.state, graph, source, request.at);
  const { kind, requestedBy } = request;
  const now = parts.now();
  const traceparent = parts.traceparent();
  const fork = forkOf(graph, from, { kind, from: request.from, input: request.input, now, requestedBy, traceparent });
  if ('refused' in fork) throw new DevmeshError('conflict', fork.refused);
  if (request.from !== null && request.input !== null) {
    checkInput(parts.catalogue, graph.steps.get(request.from)?.action, request.input);
  }
  const { events } = start(
    graph,
    runId,
    fork.created,
    { now, instances: parts.instances },
    fork.inherited ?? undefined,
  );
  const { maxConcurrentRuns } = graph.workflow;
  const artifacts = await inheritedArtifacts(parts.state, source, fork.inherited);
  return {
    op: 'create',
    runId,
    projectId: request.projectId,
    events: [...events],
    workflow: { name: record.workflow, digest: record.workflowDigest },
    task: record.task,
    repository: record.repository,
    idempotency: request.idempotency,
    wakeAt: now + HINT_GRACE_MS,
    ...(maxConcurrentRuns === null ? {} : { maxConcurrent: maxConcurrentRuns }),
    ...(artifacts.length === 0 ? {} : { artifacts }),
  };
}
