import type { ActionCatalogue } from '@devmesh/contracts/catalogue';
import { parseExecutionKey, type StepId } from '@devmesh/contracts/ids';
import type { Json, JsonObject } from '@devmesh/contracts/json';
import type { Outcome } from '@devmesh/contracts/outcome';
import { definitionOf, graphOf, type Graph } from '@devmesh/workflow/graph';
import { parseReference, referencesIn } from '@devmesh/workflow/references';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import type { Script } from '../simulator/sim-execution.js';
import type { PeopleScript } from '../simulator/sim-people.js';
import { hashOf } from './fingerprint.js';

/** What the agents and the people of a run do: nothing about it is left to chance. */
export interface Plot {
  readonly name: string;
  readonly script: Script;
  readonly people: PeopleScript;
  readonly longestBodyMs: number;
  readonly racesTime: boolean;
}

/** Items of every list that a fan-out runs over. */
const ITEMS = 2;
const LITERAL = /"([^"]*)"|'([^']*)'|\b(true|false)\b|\b(\d+)\b/g;

/** Values that a condition compares with: one of them makes it true, another false. */
function literalsOf(condition: string): Json[] {
  const found = [...condition.matchAll(LITERAL)].map(([, one, other, truth, number]): Json => {
    if (truth !== undefined) return truth === 'true';
    return number === undefined ? (one ?? other ?? '') : Number(number);
  });
  return [...found, true, false, 0, 1];
}

function put(output: JsonObject, path: readonly string[], value: Json): JsonObject {
  const [first, ...rest] = path;
  if (first === undefined) return output;
  if (rest.length === 0) return { ...output, [first]: value };
  const inner = output[first];
  const whole = inner !== null && typeof inner === 'object' && !Array.isArray(inner) ? inner : {};
  return { ...output, [first]: put(whole, rest, value) };
}

/** What steps must give so that others can go on: lists for fan-outs, values for conditions, something for every reference. */
class Outputs {
  private readonly paths = new Map<StepId, { readonly path: readonly string[]; readonly values: readonly Json[] }[]>();

  constructor(graph: Graph) {
    for (const step of graph.steps.values()) {
      for (const { text } of referencesIn(step.with)) this.wanted(text, [`from ${step.id}`]);
      if (step.forEach) this.wanted(step.forEach.items, [Array.from({ length: ITEMS }, (_, index) => `item ${index}`)]);
      for (const [, name = '', path = ''] of (step.when ?? '').matchAll(/steps\.([\w-]+)\.output\.([\w.]+)/g))
        this.add(name, path.split('.'), literalsOf(step.when ?? ''));
    }
  }

  of(step: StepId, dice: number): JsonObject {
    const wanted = this.paths.get(step) ?? this.paths.get(step.replace(/\.\d+$/, '')) ?? [];
    return wanted.reduce<JsonObject>(
      (output, { path, values }, index) => put(output, path, values[(dice >>> (index % 8)) % values.length] ?? null),
      {},
    );
  }

  private wanted(text: string, values: readonly Json[]): void {
    const reference = parseReference(text);
    if (reference?.of === 'step') this.add(reference.step, reference.path, values);
  }

  private add(step: StepId, path: readonly string[], values: readonly Json[]): void {
    this.paths.set(step, [...(this.paths.get(step) ?? []), { path, values }]);
  }
}

function hash32(text: string): number {
  return hashOf(text) % 4294967296;
}

const RETRYABLE: Outcome = {
  kind: 'failed',
  error: { code: 'unavailable', message: 'try again', retryable: true },
};
const FOR_GOOD: Outcome = {
  kind: 'failed',
  error: { code: 'action_failed', message: 'no', retryable: false },
};

interface Mood {
  /** Iterations of a gate that reject: the first so many. */
  readonly rejects: (step: StepId, seed: number) => number;
  /** In a hundred: attempts that fail and may be tried again; those that fail for good. */
  readonly retryable: number;
  readonly failing: number;
  readonly takes: readonly number[];
  /** How often people say nothing, and no, in a hundred. */
  readonly silent: number;
  readonly refusing: number;
  /** They say it at the very last moment. */
  readonly lastMinute?: boolean;
}

const MOODS = {
  smooth: { rejects: () => 0, retryable: 0, failing: 0, takes: [0, 0, 1500], silent: 0, refusing: 0 },
  rework: { rejects: () => 1, retryable: 0, failing: 0, takes: [0, 40, 1500], silent: 0, refusing: 40 },
  lastMinute: { rejects: () => 0, retryable: 0, failing: 0, takes: [1500], silent: 0, refusing: 0, lastMinute: true },
  troubled: {
    rejects: (step, seed) => hash32(`${seed} ${step}`) % 6,
    retryable: 15,
    failing: 12,
    takes: [0, 0, 40, 300, 1500, 40_000, 70_000],
    silent: 15,
    refusing: 25,
  },
} as const satisfies Record<string, Mood>;
export type MoodName = keyof typeof MOODS;

/** The plot of a mood; `seed` tells apart those of one mood. */
export function plotOf(workflow: WorkflowDefinition, catalogue: ActionCatalogue, mood: MoodName, seed = 0): Plot {
  const graph = graphOf(workflow);
  const outputs = new Outputs(graph);
  const { rejects, retryable, failing, takes, silent, refusing, lastMinute = false }: Mood = MOODS[mood];
  const script: Script = ({ key, action }) => {
    const dice = hash32(`${seed} ${key}`);
    const { step, iteration } = parseExecutionKey(key);
    const takesMs = takes[dice % takes.length] ?? 0;
    const roll = (dice >>> 8) % 100;
    if (roll < retryable) return { outcome: RETRYABLE, takesMs };
    if (roll < retryable + failing) return { outcome: FOR_GOOD, takesMs };
    const output = outputs.of(step, dice >>> 16);
    const isGate = definitionOf(graph, step)?.gate === true || catalogue.get(action)?.givesVerdict === true;
    if (!isGate) return { outcome: { kind: 'succeeded', output }, takesMs };
    const verdict = iteration <= rejects(step, seed) ? 'rejected' : 'approved';
    return { outcome: { kind: 'succeeded', verdict, output: { ...output, verdict } }, takesMs };
  };
  const people: PeopleScript = ({ id, withinMs }) => {
    const dice = hash32(`${seed} ${id}`);
    const roll = (dice >>> 8) % 100;
    if (roll < silent) return null;
    const takesMs = lastMinute ? withinMs - 1 : (takes[dice % takes.length] ?? 0);
    return { verdict: roll < silent + refusing ? 'rejected' : 'approved', takesMs };
  };
  return {
    name: seed === 0 ? mood : `${mood} ${seed}`,
    script,
    people,
    longestBodyMs: Math.max(...takes),
    racesTime: lastMinute,
  };
}

/** What a plot says of a scenario. */
export function ofPlot({ script, people, longestBodyMs, racesTime }: Plot): Omit<Plot, 'name'> {
  return { script, people, longestBodyMs, racesTime };
}
