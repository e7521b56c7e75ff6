import { ERROR_CODES, type ErrorCode } from '@devmesh/contracts/errors';
import type { z } from 'zod';
import { API_ROUTES, PATH_PARAMETERS, type ApiRoute, type PlainContent } from './routes.js';
import { componentSchemas, inlineSchema, reference, type JsonSchema, type SchemaName } from './schemas.js';

/** An OpenAPI 3.1 document; only the members that are read back have types. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, unknown>> & { readonly schemas: Readonly<Record<string, JsonSchema>> };
  readonly [member: string]: unknown;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: object }>>;
  readonly security?: readonly unknown[];
}

/** What any route may answer beside its own errors; without a key none of them needs one. */
const ANY_ERROR: readonly ErrorCode[] = ['invalid_request', 'unavailable', 'shutting_down', 'internal', 'bad_reply'];

const DESCRIPTION = `The one public door of a Devmesh mesh: submit a task and a repository, watch the run, take its result.

Every error is an RFC 9457 problem with a stable \`code\` and \`retryable\`; its \`detail\` names the culprit and the cure. JSON bodies have at most 4 MiB, a task 1 MiB, the source of a workflow 256 KiB, an artifact 2 GiB. Lists are paged by opaque cursors: pass \`nextCursor\` as \`cursor\`.`;

/** The public API as an OpenAPI 3.1 document, from the routes and the schemas that validate their bodies. */
export function openApiDocument(version: string): OpenApiDocument {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of API_ROUTES) (paths[route.path] ??= {})[route.method] = operation(route);
  return {
    openapi: '3.1.0',
    info: { title: 'Devmesh', version, description: DESCRIPTION },
    servers: [{ url: '/' }],
    security: [{ apiKey: [] }],
    tags: [...new Set(API_ROUTES.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', bearerFormat: 'dm_…', description: 'An API key of a project.' },
      },
      schemas: componentSchemas(),
    },
  };
}

function operation(route: ApiRoute): Operation {
  const parameters = parametersOf(route);
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: route.body.required, content: content([route.body.content]) } }),
    responses: { ...success(route), ...problems(route) },
    ...(route.open === true ? { security: [] } : {}),
  };
}

function parametersOf(route: ApiRoute): Parameter[] {
  const path = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']): Parameter => {
    const parameter = PATH_PARAMETERS[name];
    if (parameter === undefined) throw new Error(`${route.path}: path parameter ${name} has no schema`);
    return { name, in: 'path', required: true, description: parameter.says, schema: inlineSchema(parameter.schema) };
  });
  const query = Object.entries(route.query?.shape ?? {}).map(([name, schema]): Parameter => {
    const { description, ...rest } = inlineSchema(schema as z.ZodType);
    const says = typeof description === 'string' ? { description } : {};
    return { name, in: 'query', required: false, ...says, schema: rest };
  });
  const headers = Object.entries(route.headers ?? {}).map(([name, description]): Parameter => {
    return { name, in: 'header', required: false, description, schema: { type: 'string' } };
  });
  return [...path, ...query, ...headers];
}

function success({ reply }: ApiRoute): Operation['responses'] {
  const headers = Object.entries(reply.headers ?? {}).map(
    ([name, description]) => [name, { description, schema: { type: 'string' } }] as const,
  );
  return {
    [reply.status]: {
      description: reply.says,
      ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
      ...(reply.content.length === 0 ? {} : { content: content(reply.content) }),
    },
  };
}

/** One response a status; its description names the codes that come with it. */
function problems(route: ApiRoute): Operation['responses'] {
  // Pages and probes refuse nobody; an open route that takes something in does.
  if (route.open === true && route.errors === undefined) return {};
  const codes = new Set<ErrorCode>([...ANY_ERROR, 'unauthenticated', ...(route.errors ?? [])]);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERROR_CODES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [
      status,
      {
        description: names
          .toSorted()
          .map((name) => `\`${name}\``)
          .join(', '),
        ...(status === 401 ? { headers: { 'WWW-Authenticate': { schema: { type: 'string' } } } } : {}),
        ...(route.method === 'head'
          ? {}
          : { content: { 'application/problem+json': { schema: reference('Problem') } } }),
      },
    ]),
  );
}

const PLAIN: Readonly<Record<PlainContent, { type: string; schema: JsonSchema }>> = {
  bytes: { type: 'application/octet-stream', schema: {} },
  events: { type: 'text/event-stream', schema: { type: 'string' } },
  html: { type: 'text/html', schema: { type: 'string' } },
  json: { type: 'application/json', schema: { type: 'object' } },
  text: { type: 'text/plain', schema: { type: 'string' } },
};

function content(names: readonly (SchemaName | PlainContent)[]): Record<string, { schema: JsonSchema }> {
  return Object.fromEntries(
    names.map((name) => {
      const plain = Object.hasOwn(PLAIN, name) ? PLAIN[name as PlainContent] : undefined;
      return plain === undefined
        ? ['application/json', { schema: reference(name as SchemaName) }]
        : [plain.type, { schema: plain.schema }];
    }),
  );
}
