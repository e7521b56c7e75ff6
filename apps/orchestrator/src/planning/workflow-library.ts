import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from '@devmesh/contracts/canonical-json';
import type { ActionCatalogue } from '@devmesh/contracts/catalogue';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Digest } from '@devmesh/contracts/ids';
import type { WorkflowDefinition, WorkflowProblem } from '@devmesh/contracts/workflow';
import { graphOf, type Graph } from '@devmesh/workflow/graph';
import { parseWorkflow, type WorkflowSources } from '@devmesh/workflow/parse';
import { LRUCache } from 'lru-cache';

/** A workflow ready to run. */
export interface LoadedWorkflow {
  readonly definition: WorkflowDefinition;
  readonly digest: Digest;
  readonly graph: Graph;
}

/** SHA-256 of the canonical JSON of a workflow: what a run pins. */
export function workflowDigest(definition: WorkflowDefinition): Digest {
  return createHash('sha256').update(canonicalJson(definition)).digest('hex');
}

export function loadWorkflow(definition: WorkflowDefinition): LoadedWorkflow {
  return { definition, digest: workflowDigest(definition), graph: graphOf(definition) };
}

/** `line 3, column 5: …`, one a line. */
export function problemText(problems: readonly WorkflowProblem[]): string {
  return problems.map(({ line, column, message }) => `line ${line}, column ${column}: ${message}`).join('\n');
}

/** The shipped workflows, read once at start: one that doesn't load stops the start. */
export class WorkflowLibrary {
  private readonly byName = new Map<string, LoadedWorkflow>();
  /** By the digest of the source: a pipeline submits the same text again and again, and parsing costs more than the rest. */
  /** Of a workflow that another one runs as a step. */
  readonly sources: WorkflowSources;
  private readonly bySource = new LRUCache<string, LoadedWorkflow>({ max: 200 });

  constructor(
    folder: string,
    private readonly catalogue: ActionCatalogue,
  ) {
    const files = readdirSync(folder)
      .filter((name) => /\.ya?ml$/.test(name))
      .sort();
    const sources = new Map(
      files.map((file) => [file.replace(/\.ya?ml$/, ''), readFileSync(join(folder, file), 'utf8')]),
    );
    this.sources = (name) => sources.get(name);
    for (const file of files) {
      const parsed = parseWorkflow(readFileSync(join(folder, file), 'utf8'), catalogue, this.sources);
      if (parsed.workflow === null) throw new Error(`workflow ${file} does not load: ${problemText(parsed.problems)}`);
      // Others run it by this name.
      if (parsed.workflow.name !== file.replace(/\.ya?ml$/, ''))
        throw new Error(`workflow ${file} has the name ${parsed.workflow.name}; name the file after it`);
      this.byName.set(parsed.workflow.name, loadWorkflow(parsed.workflow));
    }
  }

  list(): LoadedWorkflow[] {
    return [...this.byName.values()];
  }

  named(name: string): LoadedWorkflow {
    const found = this.byName.get(name);
    if (found) return found;
    throw new DevmeshError(
      'invalid_workflow',
      `there is no workflow ${name}; use one of ${[...this.byName.keys()].join(', ')}, or give the source of one`,
    );
  }

  /** As `named`, for who asks whether there is one: throws `not_found`. */
  shipped(name: string): LoadedWorkflow {
    const found = this.byName.get(name);
    if (found) return found;
    throw new DevmeshError('not_found', `there is no workflow ${name}: GET /v1/workflows lists those there are`);
  }

  fromSource(source: string): LoadedWorkflow {
    const name = createHash('sha256').update(source).digest('base64');
    const known = this.bySource.get(name);
    if (known) return known;
    const parsed = parseWorkflow(source, this.catalogue, this.sources);
    if (parsed.workflow !== null) {
      const loaded = loadWorkflow(parsed.workflow);
      this.bySource.set(name, loaded);
      return loaded;
    }
    const issues = parsed.problems.map(({ line, column, message }) => ({
      pointer: '/workflow/source',
      message: `line ${line}, column ${column}: ${message}`,
    }));
    throw new DevmeshError('invalid_workflow', `the workflow can't be run: ${problemText(parsed.problems)}`, {
      issues,
    });
  }
}
