import type { StepId } from '@devmesh/contracts/ids';
import type { Json, JsonObject } from '@devmesh/contracts/json';
import { definitionOf, isUndo, itemIndex, ownerOf, type Graph } from './graph.js';
import type { RunState } from './state.js';
import { itemIds, outputOf } from './output.js';
import { summarise } from './summary.js';

const RUN_MEMBERS = ['id', 'task', 'origin', 'history', 'summary'] as const;
type RunMember = (typeof RUN_MEMBERS)[number];

/** A parsed `${{ … }}`. */
export type Reference =
  | { readonly of: 'run'; readonly member: RunMember }
  | { readonly of: 'repository' }
  | { readonly of: 'patches' }
  /** Of a fan-out: the item and its number, from 0. */
  | { readonly of: 'item'; readonly path: readonly string[] }
  | { readonly of: 'index' }
  /** In an undo: what the step got and what it gave. */
  | { readonly of: 'own'; readonly member: 'input' | 'output'; readonly path: readonly string[] }
  | { readonly of: 'step'; readonly step: StepId; readonly path: readonly string[] };

// One way to match: blanks are trimmed afterwards, so that a long run of them costs no backtracking.
const WHOLE = /^\$\{\{([^}]*)\}\}$/;
const STEP = /^steps\.([a-z0-9][a-z0-9_-]*(?:\.[a-z0-9][a-z0-9_-]*)*?)\.output((?:\.[A-Za-z0-9_-]+)*)$/;
const OWN = /^(item|input|output)((?:\.[A-Za-z0-9_-]+)*)$/;

/** The text inside `${{ … }}` when the string is wholly one; undefined for ordinary text. */
export function referenceText(text: string): string | undefined {
  return WHOLE.exec(text)?.[1]?.trim();
}

/** Parses the inside of `${{ … }}`; undefined when it is none of the forms of docs/engine.md. */
export function parseReference(text: string): Reference | undefined {
  if (text === 'repository' || text === 'patches') return { of: text };
  const about = RUN_MEMBERS.find((name) => text === `run.${name}`);
  if (about !== undefined) return { of: 'run', member: about };
  if (text === 'index') return { of: 'index' };
  const own = OWN.exec(text);
  if (own) {
    const path = (own[2] ?? '').split('.').slice(1);
    return own[1] === 'item' ? { of: 'item', path } : { of: 'own', member: own[1] as 'input' | 'output', path };
  }
  const step = STEP.exec(text);
  return step ? { of: 'step', step: step[1] ?? '', path: (step[2] ?? '').split('.').slice(1) } : undefined;
}

/** The step of the workflow that a step is, or came about from. */
export function staticStep(graph: Graph, id: StepId): StepId {
  const owner = ownerOf(graph, id);
  return owner === undefined || owner === '' ? id : staticStep(graph, owner);
}

function member(value: Json | undefined, key: string): Json | undefined {
  if (Array.isArray(value)) return value[Number(key)];
  return value !== null && typeof value === 'object' && Object.hasOwn(value, key) ? value[key] : undefined;
}

function resolve(graph: Graph, state: RunState, step: StepId, reference: Reference): Json | undefined {
  const upstream = graph.upstream.get(staticStep(graph, step)) ?? [];
  switch (reference.of) {
    case 'run':
      if (reference.member === 'summary') return summarise(graph, state);
      if (reference.member === 'origin' || reference.member === 'history') return state.repository?.[reference.member];
      return reference.member === 'id' ? state.runId : state.task;
    case 'repository': {
      const given = upstream
        .map((id) => outputOf(graph, state, id)?.['repository'])
        .filter((value) => value !== undefined);
      return given.at(-1) ?? (state.repository?.ref as Json | undefined);
    }
    case 'patches':
      return graph.order
        .filter((id) => upstream.includes(id))
        .flatMap((id) => [id, ...itemIds(state, id)])
        .flatMap((id) => {
          const patch = outputOf(graph, state, id)?.['patch'];
          return patch ? [{ step: id, agent: definitionOf(graph, id)?.agent ?? '', patch }] : [];
        });
    case 'step':
      return reference.path.reduce<Json | undefined>(member, outputOf(graph, state, reference.step));
    case 'index':
      return itemIndex(graph, step);
    case 'item': {
      const index = itemIndex(graph, step);
      const items = index === undefined ? undefined : state.steps[ownerOf(graph, step) ?? '']?.items;
      return reference.path.reduce<Json | undefined>(member, items?.[index ?? 0]);
    }
    case 'own': {
      const own = reference.member === 'output' ? outputOf(graph, state, step) : resolveInput(graph, state, step);
      return reference.path.reduce<Json | undefined>(member, own);
    }
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
  if (isUndo(graph, step)) return state.undoing?.input ?? {};
  const filled = fillObject(graph, state, step, definitionOf(graph, step)?.with ?? {});
  return { ...filled, ...state.overrides[staticStep(graph, step)] };
}

/** What the undo of a step gets, told while its output is there. */
export function resolveUndoInput(graph: Graph, state: RunState, step: StepId): JsonObject {
  return fillObject(graph, state, step, definitionOf(graph, step)?.undo?.with ?? {});
}

/** The list of a fan-out now; undefined when its reference leads to nothing. */
export function resolveItems(graph: Graph, state: RunState, step: StepId, text: string): Json | undefined {
  const reference = parseReference(text);
  return reference && resolve(graph, state, step, reference);
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
