import type { StepId } from '@devmesh/contracts/ids';
import type { Json, JsonObject } from '@devmesh/contracts/json';
import { ENGINE_AGENT, type Branch, type StepDefinition } from '@devmesh/contracts/workflow';
import { successorsOf } from './graph.js';
import { PLAIN_STEP } from './plain-step.js';
import { parseReference, referencesIn, referenceText } from './references.js';

/** What a step of a sub-workflow may not be called: these name the group's end, undos and items. */
export function isReservedName(name: StepId): boolean {
  return name === 'end' || name === 'undo' || /^\d+$/.test(name);
}

export function endOf(group: StepId): StepId {
  return `${group}.end`;
}

/** Replaces every reference of a template, given its inside; undefined leaves one as it is. */
function mapReferences(template: Json, change: (text: string) => Json | undefined): Json {
  if (typeof template === 'string') {
    const text = referenceText(template);
    return (text === undefined ? undefined : change(text)) ?? template;
  }
  if (Array.isArray(template)) return template.map((item) => mapReferences(item, change));
  return template !== null && typeof template === 'object' ? mapObject(template, change) : template;
}

function mapObject(template: JsonObject, change: (text: string) => Json | undefined): JsonObject {
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, mapReferences(value, change)]));
}

const INPUT = /^inputs\.([A-Za-z0-9_-]+)$/;

/** The inputs that the steps of a workflow ask for. */
export function inputsOf(steps: readonly StepDefinition[]): Set<string> {
  const names = steps.flatMap((step) =>
    [...referencesIn(step.with), ...referencesIn(step.undo?.with ?? {})].flatMap(
      ({ text }) => INPUT.exec(text)?.[1] ?? [],
    ),
  );
  return new Set(names);
}

/** Renames the steps that a definition speaks of, and hands it its inputs. */
function renamed(
  step: StepDefinition,
  rename: (id: StepId, role: 'need' | 'target') => StepId,
  inputs: JsonObject,
): StepDefinition {
  const inReference = (text: string): Json | undefined => {
    const input = INPUT.exec(text)?.[1];
    if (input !== undefined) return inputs[input];
    const reference = parseReference(text);
    if (reference?.of !== 'step') return undefined;
    return `\${{ ${['steps', rename(reference.step, 'need'), 'output', ...reference.path].join('.')} }}`;
  };
  const branch = (one: Branch): Branch => ('target' in one ? { ...one, target: rename(one.target, 'target') } : one);
  const items = step.forEach && referenceText(mapReferences(`\${{ ${step.forEach.items} }}`, inReference) as string);
  return {
    ...step,
    needs: step.needs.map((need) => rename(need, 'need')),
    with: mapObject(step.with, inReference),
    forEach: step.forEach && { ...step.forEach, items: items ?? step.forEach.items },
    approval: step.approval && { ...step.approval, of: step.approval.of && rename(step.approval.of, 'target') },
    undo: step.undo && { ...step.undo, with: mapObject(step.undo.with, inReference) },
    on: {
      success: step.on.success.map(branch),
      failure: step.on.failure.map(branch),
      approval: step.on.approval.map(branch),
      rejection: step.on.rejection.map(branch),
    },
  };
}

/** Makes those that follow a group follow its end; what leads into it leads to its start. */
export function followGroups(steps: readonly StepDefinition[], groups: ReadonlySet<StepId>): StepDefinition[] {
  if (groups.size === 0) return [...steps];
  const own = (step: StepDefinition) => [...groups].some((group) => step.within === endOf(group));
  return steps.map((step) =>
    // The steps of a group speak of each other, and its end waits for its start.
    own(step) || step.kind === 'group_end'
      ? step
      : renamed(step, (id, role) => (role === 'need' && groups.has(id) ? endOf(id) : id), {}),
  );
}

/**
 * The steps of a sub-workflow in the place of the step that runs it: a start that its first steps need, the steps under the group's
 * name, and an end that waits for all of them and takes the group's branches.
 */
export function inlined(
  group: Omit<StepDefinition, 'agent' | 'action' | 'with'>,
  members: readonly StepDefinition[],
  inputs: JsonObject,
): StepDefinition[] {
  const { id } = group;
  const end = endOf(id);
  const successors = successorsOf(members);
  const isTarget = new Set([...successors.values()].flat());
  const engine = { agent: ENGINE_AGENT, action: `${ENGINE_AGENT}/group`, with: {} };
  const inner = members.map((member): StepDefinition => {
    // What is none of its steps is none of the group's either: it knows nothing of the workflow around it.
    const own = renamed(member, (other) => `${id}.${other}`, inputs);
    return {
      ...own,
      id: `${id}.${member.id}`,
      needs: isTarget.has(member.id) ? own.needs : [id, ...own.needs],
      within: member.within === null ? end : `${id}.${member.within}`,
    };
  });
  const leaves = members
    .filter((member) => successors.get(member.id)?.length === 0)
    .map((member) => `${id}.${member.id}`);
  const none = PLAIN_STEP.on;
  return [
    { ...group, ...engine, kind: 'group_start', gate: false, on: none },
    ...inner,
    {
      ...PLAIN_STEP,
      ...engine,
      id: end,
      kind: 'group_end',
      needs: [id, ...leaves],
      always: true,
      gate: group.gate,
      on: group.on,
    },
  ];
}
