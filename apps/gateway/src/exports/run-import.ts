import { createHash } from 'node:crypto';
import { canonicalJson } from '@devmesh/contracts/canonical-json';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { EventOf, RunEvent } from '@devmesh/contracts/event';
import type { Digest, RunId } from '@devmesh/contracts/ids';
import type { Json, JsonObject } from '@devmesh/contracts/json';
import type { ImportRun, RunExport } from '@devmesh/contracts/run-export';
import { WORKFLOW_LIMITS, type WorkflowDefinition } from '@devmesh/contracts/workflow';
import { apply } from '@devmesh/workflow/evolve';
import { branchesOf, graphOf, topologicalOrder, worstCaseRounds, type Graph } from '@devmesh/workflow/graph';
import { isSettled, type RunState } from '@devmesh/workflow/state';

/** Stands for content that the importing project has not shown to have. */
export const UNKNOWN_DIGEST: Digest = '0'.repeat(64);
const DIGEST = /^[0-9a-f]{64}$/;

export function definitionDigest(definition: WorkflowDefinition): Digest {
  return createHash('sha256').update(canonicalJson(definition)).digest('hex');
}

function refuse(why: string): DevmeshError {
  return new DevmeshError('invalid_request', `the file can't be imported: ${why}; export the run again`);
}

/** What the engine takes for granted of a stored workflow. */
function checkedGraph({ workflow, workflowDigest }: RunExport): Graph {
  const actual = definitionDigest(workflow);
  if (actual !== workflowDigest) throw refuse(`its workflow has digest ${actual}, not ${workflowDigest}`);
  const ids = new Set(workflow.steps.map(({ id }) => id));
  const targets = workflow.steps.flatMap((step) => [
    ...step.needs,
    ...branchesOf(step).flatMap(({ branch }) => ('target' in branch ? [branch.target] : [])),
  ]);
  const missing = targets.find((id) => !ids.has(id));
  if (ids.size !== workflow.steps.length) throw refuse('two steps of its workflow have the same id');
  if (missing !== undefined) throw refuse(`its workflow has no step ${missing}, which another step names`);
  if (topologicalOrder(workflow.steps).length !== ids.size) throw refuse('the steps of its workflow wait in a circle');
  const graph = graphOf(workflow);
  if ([...worstCaseRounds(graph).values()].some((rounds) => rounds > WORKFLOW_LIMITS.nestedRounds))
    throw refuse(`the loops of its workflow have more than ${WORKFLOW_LIMITS.nestedRounds} rounds`);
  return graph;
}

function strictFold(graph: Graph, runId: RunId, events: readonly RunEvent[]): RunState {
  let state: RunState | null = null;
  for (const [index, event] of events.entries()) {
    try {
      state = apply(graph, runId, state, event);
    } catch (error) {
      throw refuse(`event ${index + 1} does not fit what came before (${error instanceof Error ? error.message : ''})`);
    }
  }
  if (state === null) throw refuse('it has no events');
  return state;
}

/** The end of a run that was under way: what it did further, this mesh never learns. */
function endOf(state: RunState, at: number): RunEvent[] {
  const reason = 'imported while it was under way';
  const open = Object.entries(state.steps).filter(([, step]) => !isSettled(step));
  return [
    ...(state.cancel ? [] : [{ type: 'CancelRequested', at, by: 'import', reason } as const]),
    ...open.map(([step, { iteration }]) => ({ type: 'StepCancelled', at, step, iteration }) as const),
    { type: 'RunEnded', at, verdict: 'cancelled', reason },
  ];
}

/** Every digest in a text that may come to be read by: of repositories, inputs and outputs. */
function mapDigests(value: Json, change: (digest: Digest) => Digest): Json {
  if (typeof value === 'string') return DIGEST.test(value) ? change(value) : value;
  if (Array.isArray(value)) return value.map((item) => mapDigests(item, change));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapDigests(member, change)]));
}

// What was asked and which workflow it is: hashes that name no content of the store.
const HASHES: ReadonlySet<string> = new Set(['approval', 'workflow']);

function mapEvent(event: RunEvent, change: (digest: Digest) => Digest): RunEvent {
  const members = Object.entries(event as unknown as JsonObject).map(
    ([member, value]) => [member, HASHES.has(member) ? value : mapDigests(value, change)] as const,
  );
  return Object.fromEntries(members) as unknown as RunEvent;
}

/** The digests that an export names, of content that whoever imports it must have shown to have. */
export function digestsIn({ events, artifacts }: RunExport): Set<Digest> {
  const found = new Set<Digest>(artifacts.map(({ digest }) => digest));
  for (const event of events)
    mapEvent(event, (digest) => {
      found.add(digest);
      return digest;
    });
  return found;
}

/**
 * The run to store for an export that came from outside: checked like hostile input, for it is. Content that the project is not
 * `known` to have is not named in it: else an import would open what others stored.
 */
export function prepareImport(
  file: RunExport,
  { runId, projectId, now, known }: { runId: RunId; projectId: string; now: number; known: ReadonlySet<Digest> },
): ImportRun {
  const graph = checkedGraph(file);
  const given = file.events.map((event) => mapEvent(event, (digest) => (known.has(digest) ? digest : UNKNOWN_DIGEST)));
  const [first, ...rest] = given;
  if (first?.type !== 'RunCreated') throw refuse('its first event is not RunCreated');
  const { name } = file.workflow;
  const created: EventOf<'RunCreated'> = {
    ...first,
    workflow: { name, digest: file.workflowDigest },
    imported: { runId: file.runId, exportedAt: file.exportedAt, events: file.events.length },
  };
  const then = (at: number): number => Math.min(at, now);
  let events: RunEvent[] = [created, ...rest];
  let state = strictFold(graph, runId, events);
  if (!state.ended) {
    events = [...events, ...endOf(state, then(given.at(-1)?.at ?? now))];
    state = strictFold(graph, runId, events);
  }
  if (!state.ended) throw refuse('it has no end');
  const { verdict, reason, at } = state.ended;
  return {
    runId,
    projectId,
    workflow: created.workflow,
    task: created.task,
    repository: created.repository,
    events,
    artifacts: file.artifacts.filter(({ digest }) => known.has(digest)),
    createdAt: new Date(then(created.at)).toISOString(),
    ended: { verdict, reason, at: new Date(then(at)).toISOString() },
  };
}
