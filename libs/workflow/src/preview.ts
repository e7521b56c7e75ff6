import type { RunId, StepId } from '@devmesh/contracts/ids';
import type { RunEvent } from '@devmesh/contracts/event';
import { advance, start, type Input } from './advance.js';
import { definitionOf, graphOf, type Graph } from './graph.js';
import type { RunState } from './state.js';

const RUN: RunId = '00000000-0000-7000-8000-000000000000';
const ENV = { now: 0, instances: () => ['preview'] };

/** The waves in which steps would start, and the steps that would not. */
export interface Preview {
  readonly waves: readonly (readonly StepId[])[];
  readonly otherwise: readonly StepId[];
}

/** The graph as if every condition held and every fan-out were one step: what they depend on is not known beforehand. Nothing is taken back. */
function assumed(graph: Graph): Graph {
  const steps = graph.workflow.steps.map((step) => ({ ...step, when: null, forEach: null, undo: null }));
  return graphOf({ ...graph.workflow, timeoutMs: null, steps });
}

function begun(events: readonly RunEvent[]): StepId[] {
  return events.flatMap((event) =>
    event.type === 'StepScheduled' || event.type === 'ApprovalRequested' ? [event.step] : [],
  );
}

/** Everything that is under way goes well, all at once. */
function goodNews(graph: Graph, state: RunState): Input[] {
  return Object.entries(state.steps).flatMap(([id, step]): Input[] => {
    if (step.approval) {
      const { id: approvalId } = step.approval;
      return [{ kind: 'verdict', approvalId, verdict: 'approved', by: 'preview', comment: '' }];
    }
    if (step.phase !== 'running' || step.key === null) return [];
    const verdict = definitionOf(graph, id)?.gate ? ({ verdict: 'approved' } as const) : {};
    return [{ kind: 'result', key: step.key, outcome: { kind: 'succeeded', output: {}, ...verdict } }];
  });
}

/** Plays the core with every step succeeding and every approval given. Pure. */
export function preview(graph: Graph, digest: string): Preview {
  const plain = assumed(graph);
  const { name } = graph.workflow;
  const first = start(
    plain,
    RUN,
    {
      type: 'RunCreated',
      at: 0,
      workflow: { name, digest },
      task: '',
      repository: null,
      requestedBy: '',
      plan: null,
      traceparent: null,
    },
    ENV,
  );
  const asked = advance(plain, first.state, [], ENV);
  let { state } = asked;
  let wave = begun([...first.events, ...asked.events]);
  const waves: StepId[][] = [];
  while (wave.length > 0) {
    waves.push(wave);
    const next = advance(plain, state, goodNews(plain, state), ENV);
    state = next.state;
    wave = begun(next.events);
  }
  const reached = new Set(waves.flat());
  const works = (id: StepId) => ['action', 'approval'].includes(graph.steps.get(id)?.kind ?? '');
  return { waves, otherwise: graph.order.filter((id) => works(id) && !reached.has(id)) };
}
