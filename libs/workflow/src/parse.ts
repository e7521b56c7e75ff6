import type { ActionCatalogue } from '@devmesh/contracts/catalogue';
import type { StepId } from '@devmesh/contracts/ids';
import {
  WORKFLOW_LIMITS,
  type StepDefinition,
  type WorkflowDefinition,
  type WorkflowProblem,
} from '@devmesh/contracts/workflow';
import { finish } from './finish.js';
import { readSourceFile, type Problem, type SourceFile } from './source-file.js';
import type { SourceStep } from './source-schema.js';
import { edgesOf, groupProblems, idOf, stepOf } from './source-steps.js';
import { endOf, followGroups, inlined, inputsOf, isReservedName } from './sub-workflow.js';
import { validate, validateFinished, type Path } from './validate.js';

export type ParseResult =
  | { readonly workflow: WorkflowDefinition; readonly problems: readonly [] }
  | { readonly workflow: null; readonly problems: readonly WorkflowProblem[] };

/** Finds the source of a workflow that another one runs as a step. */
export type WorkflowSources = (name: string) => string | undefined;

/** Steps in one row, with the step of the source that each stands for. */
interface Steps {
  readonly steps: readonly StepDefinition[];
  readonly origin: readonly number[];
  readonly problems: readonly Problem[];
}

type Source = Extract<SourceFile, { workflow: unknown }>['workflow'];

class StepReader {
  constructor(
    private readonly catalogue: ActionCatalogue,
    private readonly sources: WorkflowSources,
  ) {}

  /** All steps of a workflow, those of its sub-workflows in their places. `path`: the workflows around it. */
  read(source: Source, path: readonly string[]): Steps {
    const steps: StepDefinition[] = [];
    const origin: number[] = [];
    const problems: Problem[] = [];
    const groups = new Set<StepId>();
    source.steps.forEach((step, index) => {
      const id = idOf(step);
      if (id !== undefined && path.length > 0 && isReservedName(id))
        problems.push({
          code: 'schema',
          path: ['steps', index],
          message: `a step of a sub-workflow cannot be called ${id}`,
        });
      const made =
        step.workflow === undefined ? this.single(step, id, index) : this.group(step, step.workflow, index, path);
      if (isProblems(made)) {
        problems.push(...made);
        return;
      }
      if (step.workflow !== undefined && id !== undefined) groups.add(id);
      steps.push(...made);
      origin.push(...made.map(() => index));
    });
    return { steps: guarded(followGroups(steps, groups)), origin, problems };
  }

  private single(step: SourceStep, id: StepId | undefined, index: number): StepDefinition[] | Problem[] {
    // Without a name it names no action either, which is told.
    const made = stepOf(step, id ?? '', index, this.catalogue);
    return Array.isArray(made) ? made : [made];
  }

  private group(step: SourceStep, name: string, index: number, path: readonly string[]): StepDefinition[] | Problem[] {
    const at: Path = ['steps', index, 'workflow'];
    const id = idOf(step) ?? name;
    const wrong = groupProblems(step, index);
    if (wrong.length > 0) return wrong;
    if (path.includes(name))
      return [{ code: 'cycle', path: at, message: `workflows run each other: ${[...path, name].join(' -> ')}` }];
    if (path.length >= WORKFLOW_LIMITS.nesting)
      return [
        { code: 'limit', path: at, message: `workflows are at most ${WORKFLOW_LIMITS.nesting} deep in one another` },
      ];
    const text = this.sources(name);
    if (text === undefined) return [{ code: 'unknown_step', path: at, message: `there is no workflow ${name} to run` }];
    const file = readSourceFile(text);
    if ('problems' in file)
      return file.problems.map(({ code, line, message }) => ({
        code,
        path: at,
        message: `in ${name}, line ${line}: ${message}`,
      }));
    const inner = this.read(file.workflow, [...path, name]);
    if (inner.problems.length > 0)
      return inner.problems.map(({ code, message }) => ({ code, path: at, message: `in ${name}: ${message}` }));
    const wanted = inputsOf(inner.steps);
    const missing = [...wanted].filter((input) => !(input in step.with));
    const unknown = Object.keys(step.with).filter((input) => !wanted.has(input));
    if (missing.length + unknown.length > 0)
      return [
        ...missing.map((input): Problem => ({
          code: 'bad_reference',
          path: at,
          message: `${name} wants an input ${input}; give it under \`with\``,
        })),
        ...unknown.map((input): Problem => ({
          code: 'bad_reference',
          path: ['steps', index, 'with', input],
          message: `${name} takes no input ${input}; leave it out`,
        })),
      ];
    return inlined(edgesOf(step, id), inner.steps, step.with);
  }
}

function isProblems(made: StepDefinition[] | Problem[]): made is Problem[] {
  return made[0] !== undefined && 'code' in made[0];
}

/** Tells each step that an approval is asked for which one it is. */
function guarded(steps: readonly StepDefinition[]): StepDefinition[] {
  const guards = new Map(steps.flatMap((step) => (step.approval?.of ? [[step.approval.of, step.id] as const] : [])));
  return steps.map((step) => ({ ...step, guardedBy: guards.get(step.id) ?? step.guardedBy }));
}

/**
 * Parses a workflow's YAML. Gives the normalised workflow, or every problem found with line, column and cure: syntax,
 * shape, unknown steps and actions, cycles, steps that nothing leads to, loops without a bound, bad references and conditions, limits.
 * A sub-workflow is read through `sources`, and becomes part of this one.
 */
export function parseWorkflow(
  source: string,
  catalogue: ActionCatalogue,
  sources: WorkflowSources = () => undefined,
): ParseResult {
  const fail = (problems: readonly WorkflowProblem[]): ParseResult => ({ workflow: null, problems });
  const file = readSourceFile(source);
  if ('problems' in file) return fail(file.problems);
  const { workflow: written, located } = file;
  const { steps, origin, problems } = new StepReader(catalogue, sources).read(written, []);
  if (problems.length > 0) return fail(problems.map(located));
  if (steps.length > WORKFLOW_LIMITS.steps) {
    const message = `a workflow has at most ${WORKFLOW_LIMITS.steps} steps, and with its sub-workflows this one has ${steps.length}`;
    return fail([located({ code: 'limit', path: ['steps'], message })]);
  }
  const definition: WorkflowDefinition = {
    name: written.name,
    version: written.version,
    description: written.description,
    timeoutMs: written.timeout ?? null,
    maxParallelAgents: written.max_parallel_agents ?? null,
    maxConcurrentRuns: written.max_concurrent_workflows ?? null,
    allowPartialCompletion: written.allow_partial_completion,
    steps: [...steps],
  };
  // A problem of a step that a sub-workflow brought stands where that is run.
  const atOrigin = (problem: Problem): WorkflowProblem => {
    const [root, index, ...rest] = problem.path;
    if (root !== 'steps' || typeof index !== 'number') return located(problem);
    const outer = origin[index] ?? index;
    const isOwn =
      written.steps[outer]?.workflow === undefined || steps[index]?.id === endOf(idOf(written.steps[outer]) ?? '');
    return located({ ...problem, path: isOwn ? ['steps', outer, ...rest] : ['steps', outer, 'workflow'] });
  };
  const invalid = validate(definition, catalogue);
  if (invalid.length > 0) return fail(invalid.map(atOrigin));
  if (!written.finish) return { workflow: definition, problems: [] };
  const finished = finish(definition, catalogue);
  const spoilt = validateFinished(definition, finished);
  return spoilt.length > 0 ? fail(spoilt.map(atOrigin)) : { workflow: finished, problems: [] };
}
