import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ACTION_CATALOGUE, type ActionCatalogue } from '@devmesh/contracts/catalogue';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { PROOF_CATALOGUE, PROVED_WORKFLOWS } from '@devmesh/engine/prover/proved-workflows';
import { parseWorkflow } from '@devmesh/workflow/parse';
import { CLONE } from '../clone.js';
import { readWorkflow } from '../commands/run.js';
import type { CliContext } from '../context.js';

/** A workflow with the actions that it may name. */
export interface Subject {
  readonly name: string;
  readonly workflow: WorkflowDefinition;
  readonly catalogue: ActionCatalogue;
}

const FOLDER = join(CLONE, 'workflows');

function shippedSource(name: string): string | undefined {
  const file = join(FOLDER, `${name}.yaml`);
  return /^[a-z0-9][a-z0-9_-]*$/.test(name) && existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function shippedNames(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.replace(/\.yaml$/, ''));
}

function parsed(name: string, source: string, catalogue: ActionCatalogue): Subject {
  const result = parseWorkflow(source, catalogue, shippedSource);
  if (result.workflow === null) {
    const problems = result.problems.map(({ line, column, message }) => `line ${line}, column ${column}: ${message}`);
    throw new DevmeshError('invalid_workflow', `${name}:\n${problems.join('\n')}`);
  }
  return { name: result.workflow.name, workflow: result.workflow, catalogue };
}

/** The workflow of that name, shipped or one of those that the proof is about, or of that YAML file. */
export async function subjectOf(context: CliContext, given: string): Promise<Subject> {
  const read = await readWorkflow(context, given);
  if (read && 'source' in read && read.source !== undefined) return parsed(given, read.source, ACTION_CATALOGUE);
  const proved = PROVED_WORKFLOWS[given];
  if (proved !== undefined) return parsed(given, proved, PROOF_CATALOGUE);
  const shipped = shippedSource(given);
  if (shipped !== undefined) return parsed(given, shipped, ACTION_CATALOGUE);
  const known = [...shippedNames(), ...Object.keys(PROVED_WORKFLOWS)].join(', ');
  throw new DevmeshError('not_found', `there is no workflow ${given}: name one of ${known}, or a YAML file`);
}

/** What the committed proof is about: the main job, and workflows that have everything that a workflow may have. */
export function provedSubjects(): Subject[] {
  const deliver = shippedSource('deliver');
  if (deliver === undefined) throw new DevmeshError('not_found', `${FOLDER} has no deliver.yaml: restore it`);
  return [
    parsed('deliver', deliver, ACTION_CATALOGUE),
    ...Object.entries(PROVED_WORKFLOWS).map(([name, source]) => parsed(name, source, PROOF_CATALOGUE)),
  ];
}
