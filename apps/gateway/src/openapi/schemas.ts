import { Problem } from '@devmesh/contracts/errors';
import { RunEvent, StoredEvent } from '@devmesh/contracts/event';
import { PUBLIC_SCHEMAS } from '@devmesh/contracts/gateway-api';
import { Json } from '@devmesh/contracts/json';
import { RunListItem, StepView } from '@devmesh/contracts/run';
import { Progress } from '@devmesh/contracts/state-api';
import { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { z } from 'zod';

/** Parts that several bodies share; named, so that generated clients get one type of each. */
const PARTS = { Json, Problem, Progress, RunEvent, RunListItem, StepView, StoredEvent, WorkflowDefinition } as const;

const NAMED = { ...PUBLIC_SCHEMAS, ...PARTS };
export type SchemaName = keyof typeof NAMED;

/** Bodies that clients send: what has a default may be left out of them. The rest is what clients get. */
const SENT = [
  'CreateRun',
  'CancelBody',
  'PruneBody',
  'ImportRepository',
  'PlanRequest',
  'ValidateWorkflow',
  'CreateTrigger',
  'PauseBody',
  'RerunBody',
  'ForkBody',
  'RunExport',
  'VerdictBody',
  'FindingVerdictBody',
] as const;

export type JsonSchema = Record<string, unknown>;

/** Every named schema of the public API as JSON Schema 2020-12, the dialect of OpenAPI 3.1. */
export function componentSchemas(): Record<string, JsonSchema> {
  const sent = generate('input');
  const got = generate('output');
  const names = Object.keys(NAMED) as SchemaName[];
  const isSent = (name: string): boolean => (SENT as readonly string[]).includes(name);
  return Object.fromEntries(names.toSorted().map((name) => [name, (isSent(name) ? sent : got)[name] ?? {}]));
}

/** A schema that needs no name, e.g. of a query parameter. */
export function inlineSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', override: simplify });
  return rest;
}

export function reference(name: SchemaName): JsonSchema {
  return { $ref: uriOf(name) };
}

function uriOf(name: string): string {
  return `#/components/schemas/${name}`;
}

function generate(io: 'input' | 'output'): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: uriOf, io, override: simplify });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema as JsonSchema]),
  );
}

function simplify({ jsonSchema }: { jsonSchema: JsonSchema }): void {
  // The format says it; zod's pattern of a date runs over ten lines.
  if (jsonSchema['format'] !== undefined) delete jsonSchema['pattern'];
  // Members may be added within a version, and what is not known is dropped on the way in.
  if (jsonSchema['additionalProperties'] === false) delete jsonSchema['additionalProperties'];
  if (jsonSchema['maximum'] === Number.MAX_SAFE_INTEGER) delete jsonSchema['maximum'];
  if (jsonSchema['minimum'] === Number.MIN_SAFE_INTEGER) delete jsonSchema['minimum'];
}
