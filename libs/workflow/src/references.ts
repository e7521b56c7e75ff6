import type { StepId } from '@devmesh/contracts/ids';
import type { Json, JsonObject } from '@devmesh/contracts/json';
import type { Graph } from './graph.js';
import type { RunState } from './state.js';
import { summarise } from './summary.js';

/** A parsed `${{ … }}`. */
export type Reference =
  | { readonly of: 'run'; readonly member: 'id' | 'task' | 'summary' }
  | { readonly of: 'repository' }
  | { readonly of: 'patches' }
  | { readonly of: 'step'; readonly step: StepId; readonly path: readonly string[] };

// One way to match: blanks are trimmed afterwards, so that a long run of them costs no backtracking.
const WHOLE = /^\$\{\{([^}]*)\}\}$/;
const STEP = /^steps\.([a-z0-9][a-z0-9_-]*)\.output((?:\.[A-Za-z0-9_-]+)*)$/;

/** The text inside `${{ … }}` when the string is wholly one; undefined for ordinary text. */
export function referenceText(text: string): string | undefined {
  return WHOLE.exec(text)?.[1]?.trim();
}

/** Parses the inside of `${{ … }}`; undefined when it is none of the forms of docs/engine.md. */
export function parseReference(text: string): Reference | undefined {
  if (text === 'repository' || text === 'patches') return { of: text };
  if (text === 'run.id' || text === 'run.task' || text === 'run.summary') {
    return { of: 'run', member: text.slice(4) as 'id' | 'task' | 'summary' };
  }
  const step = STEP.exec(text);
  return step ? { of: 'step', step: step[1] ?? '', path: (step[2] ?? '').split('.').slice(1) } : undefined;
}

function outputOf(state: RunState, id: StepId): JsonObject | undefined {
  const outcome = state.steps[id]?.outcome;
  return outcome?.kind === 'succeeded' ? outcome.output : undefined;
}

function member(value: Json | undefined, key: string): Json | undefined {
  if (Array.isArray(value)) return value[Number(key)];
  return value !== null && typeof value === 'object' && Object.hasOwn(value, key) ? value[key] : undefined;
}

function resolve(graph: Graph, state: RunState, step: StepId, reference: Reference): Json | undefined {
  const upstream = graph.upstream.get(step) ?? [];
  switch (reference.of) {
    case 'run':
      if (reference.member === 'summary') return summarise(graph, state);
      return reference.member === 'id' ? state.runId : state.task;
    case 'repository': {
      const given = upstream.map((id) => outputOf(state, id)?.['repository']).filter((value) => value !== undefined);
      return given.at(-1) ?? (state.repository?.ref as Json | undefined);
    }
    case 'patches':
      return graph.order
        .filter((id) => upstream.includes(id))
        .flatMap((id) => {
          const patch = outputOf(state, id)?.['patch'];
          return patch ? [{ step: id, agent: graph.steps.get(id)?.agent ?? '', patch }] : [];
        });
    case 'step':
      return reference.path.reduce<Json | undefined>(member, outputOf(state, reference.step));
  }
}

function fill(graph: Graph, state: RunState, step: StepId, template: Json): Json | undefined {
  if (typeof template === 'string') {
    const text = referenceText(template);
    const reference = text === undefined ? undefined : parseReference(text);
    return reference ? resolve(graph, state, step, reference) : template;
  }
  if (Array.isArray(template)) return template.map((item) => fill(graph, state, step, item) ?? null);
  if (template !== null && typeof template === 'object') return fillObject(graph, state, step, template);
  return template;
}

function fillObject(graph: Graph, state: RunState, step: StepId, template: JsonObject): JsonObject {
  const entries = Object.entries(template).flatMap(([key, value]) => {
    const filled = fill(graph, state, step, value);
    return filled === undefined ? [] : [[key, filled] as const];
  });
  return Object.fromEntries(entries);
}

/** The input of a step now: its template with every reference replaced; members that refer to nothing are left out. */
export function resolveInput(graph: Graph, state: RunState, step: StepId): JsonObject {
  return fillObject(graph, state, step, graph.steps.get(step)?.with ?? {});
}

/** Every `${{ … }}` of a template, with the path to it. */
export function referencesIn(
  template: Json,
  path: readonly (string | number)[] = [],
): { path: readonly (string | number)[]; text: string }[] {
  if (typeof template === 'string') {
    const text = referenceText(template);
    return text === undefined ? [] : [{ path, text }];
  }
  if (Array.isArray(template)) return template.flatMap((item, index) => referencesIn(item, [...path, index]));
  if (template !== null && typeof template === 'object') {
    return Object.entries(template).flatMap(([key, value]) => referencesIn(value, [...path, key]));
  }
  return [];
}
