import type { ErrorCode } from '@devmesh/contracts/errors';
import { RunListQuery } from '@devmesh/contracts/gateway-api';
import { Digest, RunId } from '@devmesh/contracts/ids';
import type { z } from 'zod';
import { ArtifactQuery } from '../artifacts/artifact-query.js';
import { EventsQuery } from '../events/events-query.js';
import type { SchemaName } from './schemas.js';

/** Content that is not one of the named JSON bodies. */
export type PlainContent = 'bytes' | 'events' | 'html' | 'json' | 'text';

export interface RouteReply {
  readonly status: 200 | 202;
  readonly says: string;
  /** JSON by name, or other content; several when the client chooses by `Accept`; none for a HEAD. */
  readonly content: readonly (SchemaName | PlainContent)[];
  /** Headers worth knowing, and what they hold. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A route as the OpenAPI document tells it. `path` has its parameters in braces. */
export interface ApiRoute {
  readonly method: 'get' | 'head' | 'post' | 'put';
  readonly path: string;
  readonly id: string;
  readonly tag: 'runs' | 'artifacts' | 'repositories' | 'workflows' | 'mesh';
  readonly summary: string;
  readonly description?: string;
  /** Answered without an API key. */
  readonly open?: true;
  readonly query?: z.ZodObject;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly content: SchemaName | 'bytes'; readonly required: boolean };
  readonly reply: RouteReply;
  /** Beside those that any route may answer. */
  readonly errors?: readonly ErrorCode[];
}

export const PATH_PARAMETERS: Readonly<Record<string, { schema: z.ZodType; says: string }>> = {
  runId: { schema: RunId, says: 'Id of a run of your project.' },
  digest: { schema: Digest, says: 'SHA-256 of the content, 64 lower-case hex digits.' },
};

const CLONING = ['clone_failed', 'clone_timeout', 'invalid_repository', 'rate_limited', 'storage_full'] as const;
const WITH_BODY = ['payload_too_large', 'unsupported_media_type'] as const;
const run = (status: 200 | 202, says: string): RouteReply => ({ status, says, content: ['RunView'] });

/** Every route that the gateway answers. A test holds this list against the router. */
export const API_ROUTES: readonly ApiRoute[] = [
  {
    method: 'post',
    path: '/v1/runs',
    id: 'createRun',
    tag: 'runs',
    summary: 'Submit a run',
    description:
      'Accepted means on record: the run ends, whatever crashes. With an `Idempotency-Key`, the same request again answers the run of the first time, and another request with that key is refused.',
    headers: { 'Idempotency-Key': 'Names this request within your project; 1 to 255 visible ASCII characters.' },
    body: { content: 'CreateRun', required: true },
    reply: { ...run(202, 'Accepted.'), headers: { Location: 'Path of the run.' } },
    errors: [...WITH_BODY, ...CLONING, 'invalid_workflow', 'unknown_action', 'idempotency_key_reused'],
  },
  {
    method: 'get',
    path: '/v1/runs',
    id: 'listRuns',
    tag: 'runs',
    summary: 'List the runs of your project, newest first',
    query: RunListQuery,
    reply: { status: 200, says: 'A page; `nextCursor` is null on the last one.', content: ['RunList'] },
  },
  {
    method: 'get',
    path: '/v1/runs/{runId}',
    id: 'getRun',
    tag: 'runs',
    summary: 'Show a run: steps, findings, result',
    reply: run(200, 'The run as it is now.'),
    errors: ['not_found'],
  },
  {
    method: 'post',
    path: '/v1/runs/{runId}/cancel',
    id: 'cancelRun',
    tag: 'runs',
    summary: 'Ask for a run to be cancelled',
    description: 'A run that has ended stays as it ended.',
    body: { content: 'CancelBody', required: false },
    reply: run(202, 'Asked for. The run ends within about a second.'),
    errors: [...WITH_BODY, 'not_found'],
  },
  {
    method: 'post',
    path: '/v1/runs/{runId}/resume',
    id: 'resumeRun',
    tag: 'runs',
    summary: 'Wake a stuck run',
    reply: run(202, 'Woken.'),
    errors: ['not_found', 'run_ended'],
  },
  {
    method: 'get',
    path: '/v1/runs/{runId}/events',
    id: 'watchRun',
    tag: 'runs',
    summary: 'Watch a run, or read its events',
    description:
      'Server-sent events: `event` (its id is the number of the event), `progress` (what a slow step is doing; not kept) and `end`, after which the server closes. A client that comes back with `Last-Event-ID` misses nothing and gets nothing twice. With `Accept: application/json`: one page of events.',
    query: EventsQuery,
    headers: { 'Last-Event-ID': 'Number of the last event that you have; stronger than `after`.' },
    reply: { status: 200, says: 'The stream, or a page.', content: ['events', 'EventList'] },
    errors: ['not_found'],
  },
  {
    method: 'get',
    path: '/v1/runs/{runId}/artifacts',
    id: 'listArtifacts',
    tag: 'artifacts',
    summary: 'List the artifacts of a run',
    reply: { status: 200, says: 'In the order in which they came.', content: ['ArtifactList'] },
    errors: ['not_found'],
  },
  {
    method: 'put',
    path: '/v1/artifacts/{digest}',
    id: 'putArtifact',
    tag: 'artifacts',
    summary: 'Upload content under its SHA-256',
    body: { content: 'bytes', required: true },
    reply: { status: 200, says: 'Stored, or there already.', content: ['ArtifactStored'] },
    errors: [...WITH_BODY, 'storage_full'],
  },
  {
    method: 'get',
    path: '/v1/artifacts/{digest}',
    id: 'getArtifact',
    tag: 'artifacts',
    summary: 'Download an artifact',
    description:
      'Your project may read what its runs list and what it uploaded. Name the run with `?run=` unless you have just looked at it.',
    query: ArtifactQuery,
    reply: { status: 200, says: 'The content.', content: ['bytes'], headers: { ETag: 'The digest, quoted.' } },
    errors: ['not_found'],
  },
  {
    method: 'head',
    path: '/v1/artifacts/{digest}',
    id: 'headArtifact',
    tag: 'artifacts',
    summary: 'Tell whether an artifact can be downloaded, and its size',
    query: ArtifactQuery,
    reply: { status: 200, says: 'It can.', content: [], headers: { 'Content-Length': 'Its size in bytes.' } },
    errors: ['not_found'],
  },
  {
    method: 'post',
    path: '/v1/repositories',
    id: 'importRepository',
    tag: 'repositories',
    summary: 'Clone a repository by URL into the mesh',
    description: 'Credentials in the URL are used for the clone and kept nowhere.',
    body: { content: 'ImportRepository', required: true },
    reply: { status: 200, says: 'What to put into `repository` of a run.', content: ['RunRepository'] },
    errors: [...WITH_BODY, ...CLONING],
  },
  {
    method: 'post',
    path: '/v1/plan',
    id: 'plan',
    tag: 'workflows',
    summary: 'Show what a task would run, and why',
    body: { content: 'PlanRequest', required: true },
    reply: { status: 200, says: 'The plan. Nothing was started.', content: ['Plan'] },
    errors: [...WITH_BODY],
  },
  {
    method: 'post',
    path: '/v1/workflows/validate',
    id: 'validateWorkflow',
    tag: 'workflows',
    summary: 'Check the source of a workflow',
    body: { content: 'ValidateWorkflow', required: true },
    reply: { status: 200, says: 'The workflow, or its problems by line and column.', content: ['WorkflowCheck'] },
    errors: [...WITH_BODY],
  },
  {
    method: 'get',
    path: '/v1/workflows',
    id: 'listWorkflows',
    tag: 'workflows',
    summary: 'List the shipped workflows',
    reply: { status: 200, says: 'All of them.', content: ['WorkflowList'] },
  },
  {
    method: 'get',
    path: '/v1/agents',
    id: 'listAgents',
    tag: 'mesh',
    summary: 'List the agents and their instances',
    reply: { status: 200, says: 'All of them, healthy or not.', content: ['AgentList'] },
  },
  {
    method: 'get',
    path: '/v1/whoami',
    id: 'whoAmI',
    tag: 'mesh',
    summary: 'Tell whose API key this is',
    reply: { status: 200, says: 'Project and name of the key.', content: ['WhoAmI'] },
  },
  open('/', 'home', 'Where to go from here', 'json'),
  open('/openapi.json', 'openapi', 'This document', 'json'),
  open('/docs', 'docs', 'This document for people', 'html'),
  open('/health', 'health', 'State of the gateway and of what it depends on', 'json'),
  open('/health/live', 'live', 'Whether the process is alive', 'json'),
  open('/health/ready', 'ready', 'Whether requests can be served', 'json'),
  open('/metrics', 'metrics', 'Metrics for Prometheus', 'text'),
];

function open(path: string, id: string, summary: string, content: PlainContent): ApiRoute {
  const reply: RouteReply = { status: 200, says: 'What it says.', content: [content] };
  return { method: 'get', path, id, tag: 'mesh', summary, open: true, reply };
}
