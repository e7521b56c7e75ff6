import type { StepId } from '@devmesh/contracts/ids';
import type { RunGraph, RunGraphEdge, RunGraphNode } from '@devmesh/contracts/run-graph';
import type { BranchEvent, StepDefinition } from '@devmesh/contracts/workflow';
import { branchesOf, type Graph } from './graph.js';
import { itemIds } from './output.js';
import type { RunState, StepPhase } from './state.js';

/** `build` of `build.end`; of a group's start itself. Undefined for any other step. */
function groupOf(definition: StepDefinition): StepId | null {
  if (definition.kind === 'group_start') return definition.id;
  if (definition.kind === 'group_end') return definition.id.slice(0, definition.id.lastIndexOf('.'));
  return definition.within === null ? null : definition.within.slice(0, definition.within.lastIndexOf('.'));
}

/** The group around a step: of a group's own two ends the group itself, whose parent `groupParent` tells. */
function node(definition: StepDefinition, state: RunState | null): RunGraphNode {
  const { id, kind, action, approval, when, forEach, quorum, needs, always, gate } = definition;
  const step = state?.steps[id];
  const items = state === null ? 0 : itemIds(state, id).length;
  return {
    id,
    kind,
    label: kind === 'approval' ? (approval?.title ?? id) : action,
    group: groupOf(definition),
    status: step ? statusOf(step.phase, step.instance) : null,
    iteration: step?.iteration ?? null,
    when,
    fanOut: forEach && { items: forEach.items, maxItems: forEach.maxItems, count: items === 0 ? null : items },
    join: quorum === null || needs.length < 2 ? null : quorum === 1 ? 'any' : `quorum ${quorum}`,
    always,
    gate,
  };
}

function statusOf(phase: StepPhase, instance: string | null): NonNullable<RunGraphNode['status']> {
  if (phase === 'running') return instance === null ? 'waiting' : 'running';
  return phase === 'deciding' ? 'running' : phase;
}

function edges(definition: StepDefinition, state: RunState | null): RunGraphEdge[] {
  const { id, needs } = definition;
  const taken = state?.steps[id]?.taken ?? [];
  const branches = branchesOf(definition).flatMap(({ on, branch }): RunGraphEdge[] => {
    if (branch.kind === 'goto') {
      const isTaken = taken.some((one) => one.on === on && one.target === branch.target);
      return [{ from: id, to: branch.target, kind: 'goto', on, maxAttempts: null, rounds: null, taken: isTaken }];
    }
    if (branch.kind !== 'rework') return [];
    const rounds = state === null ? null : (state.rounds[`${id}:${on}`] ?? 0);
    const { target, maxAttempts } = branch;
    return [{ from: id, to: target, kind: 'rework', on, maxAttempts, rounds, taken: (rounds ?? 0) > 0 }];
  });
  const plain = needs.map((need): RunGraphEdge => {
    return { from: need, to: id, kind: 'needs', on: null, maxAttempts: null, rounds: null, taken: false };
  });
  return [...plain, ...branches];
}

/** The graph as data: of a workflow, or of a run as it stands. In the order of definition. */
export function graphData(graph: Graph, state: RunState | null): RunGraph {
  const definitions = graph.workflow.steps;
  return {
    workflow: graph.workflow.name,
    runId: state?.runId ?? null,
    nodes: definitions.map((definition) => node(definition, state)),
    edges: definitions.flatMap((definition) => edges(definition, state)),
  };
}

// What Mermaid reads inside quotes as something else than text; `#` first, for it begins an entity.
const ESCAPES: readonly (readonly [RegExp, string])[] = [
  [/#/g, '#35;'],
  [/"/g, '#quot;'],
  [/</g, '#lt;'],
  [/>/g, '#gt;'],
  [/&/g, '#amp;'],
  [/`/g, '#96;'],
  [/\\/g, '#92;'],
  [/[[\]{}()|]/g, ''],
  [/[\u0000-\u001f\u007f]+/g, ' '],
];
const LABEL_CHARACTERS = 80;

function text(...lines: readonly (string | null)[]): string {
  const shown = lines.flatMap((line) => (line === null ? [] : [escaped(line)]));
  return `"${shown.join('<br/>')}"`;
}

function escaped(line: string): string {
  const short = line.length > LABEL_CHARACTERS ? `${line.slice(0, LABEL_CHARACTERS - 1)}…` : line;
  return ESCAPES.reduce((result, [pattern, by]) => {
    return by === '' ? result.replace(pattern, (found) => `#${found.charCodeAt(0)};`) : result.replace(pattern, by);
  }, short);
}

/** Ids are words that Mermaid does not know: a step may be called `end`. */
function nameOf(names: ReadonlyMap<StepId, string>, id: StepId): string {
  return names.get(id) ?? 'unknown';
}

function nodeLine(names: ReadonlyMap<StepId, string>, one: RunGraphNode): string {
  const round = one.iteration !== null && one.iteration > 1 ? `round ${one.iteration}` : null;
  const fanOut = one.fanOut && (one.fanOut.count === null ? 'for each item' : `${one.fanOut.count} items`);
  const isEnd = one.kind === 'group_start' || one.kind === 'group_end';
  const label = text(
    one.id,
    isEnd || one.label === one.id ? null : one.label,
    one.when === null ? null : `when ${one.when}`,
    fanOut,
    one.join && `join ${one.join}`,
    round,
  );
  const shapes = {
    action: one.fanOut ? ['[[', ']]'] : one.gate ? ['{{', '}}'] : ['[', ']'],
    approval: ['{', '}'],
    group_start: ['(', ')'],
    group_end: ['(', ')'],
  } as const;
  const [open, close] = shapes[one.kind];
  return `${nameOf(names, one.id)}${open}${label}${close}${one.status === null ? '' : `:::${one.status}`}`;
}

function edgeLine(names: ReadonlyMap<StepId, string>, edge: RunGraphEdge): string {
  const [from, to] = [nameOf(names, edge.from), nameOf(names, edge.to)];
  if (edge.kind === 'needs') return `${from} --> ${to}`;
  const on: BranchEvent | null = edge.on;
  if (edge.kind === 'goto') return `${from} ${edge.taken ? '==>' : '-->'}|${text(`on ${on ?? ''}`)}| ${to}`;
  const rounds =
    edge.rounds === null ? `at most ${edge.maxAttempts ?? 0}` : `${edge.rounds} of ${edge.maxAttempts ?? 0}`;
  return `${from} -.->|${text(`on ${on ?? ''}: again, ${rounds}`)}| ${to}`;
}

const COLOURS = {
  pending: 'fill:#f4f4f5,stroke:#a1a1aa,color:#3f3f46',
  waiting: 'fill:#fef9c3,stroke:#ca8a04,color:#713f12',
  running: 'fill:#dbeafe,stroke:#2563eb,color:#1e3a8a',
  fanned: 'fill:#dbeafe,stroke:#2563eb,color:#1e3a8a',
  awaiting: 'fill:#fef9c3,stroke:#ca8a04,color:#713f12',
  retrying: 'fill:#ffedd5,stroke:#ea580c,color:#7c2d12',
  succeeded: 'fill:#dcfce7,stroke:#16a34a,color:#14532d',
  rejected: 'fill:#fae8ff,stroke:#c026d3,color:#701a75',
  failed: 'fill:#fee2e2,stroke:#dc2626,color:#7f1d1d',
  skipped: 'fill:#f4f4f5,stroke:#a1a1aa,color:#71717a,stroke-dasharray:4 3',
  cancelled: 'fill:#e4e4e7,stroke:#52525b,color:#27272a,stroke-dasharray:4 3',
} as const satisfies Record<NonNullable<RunGraphNode['status']>, string>;

/** The groups directly inside `group`, and the steps directly inside it, in order. */
function members(data: RunGraph, group: StepId | null): { groups: StepId[]; nodes: RunGraphNode[] } {
  const groups = [...new Set(data.nodes.flatMap(({ group: own }) => (own === null ? [] : [own])))];
  const parent = (one: StepId): StepId | null =>
    groups.filter((other) => other !== one && one.startsWith(`${other}.`)).sort((a, b) => b.length - a.length)[0] ??
    null;
  return {
    groups: groups.filter((one) => parent(one) === group),
    nodes: data.nodes.filter((one) => one.group === group),
  };
}

/**
 * The graph in Mermaid: approvals are diamonds, gates hexagons, fan-outs have double sides, sub-workflows are boxes; what sends work
 * back is dotted, a branch that was taken is thick, and of a run each step has the colour of its status.
 */
export function mermaid(data: RunGraph): string {
  const names = new Map(data.nodes.map(({ id }, index) => [id, `s${index}`]));
  const box = (group: StepId | null, indent: string): string[] => {
    const { groups, nodes } = members(data, group);
    return [
      ...nodes.map((one) => indent + nodeLine(names, one)),
      ...groups.flatMap((one) => [
        `${indent}subgraph g${nameOf(names, one)}[${text(one)}]`,
        ...box(one, `${indent}  `),
        `${indent}end`,
      ]),
    ];
  };
  const used = new Set(data.nodes.flatMap(({ status }) => (status === null ? [] : [status])));
  return [
    'flowchart TD',
    ...box(null, '  '),
    ...data.edges.map((edge) => `  ${edgeLine(names, edge)}`),
    ...[...used].sort().map((status) => `  classDef ${status} ${COLOURS[status]}`),
    '',
  ].join('\n');
}
