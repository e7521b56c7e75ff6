import type { ErrorCode } from '@devmesh/contracts/errors';
import { ApprovalListQuery, RunListQuery, RunViewQuery } from '@devmesh/contracts/gateway-api';
import { Digest, RunId } from '@devmesh/contracts/ids';
import { RunGraphQuery } from '@devmesh/contracts/run-graph';
import { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { z } from 'zod';
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
  readonly method: 'delete' | 'get' | 'head' | 'post' | 'put';
  readonly path: string;
  readonly id: string;
  readonly tag: 'runs' | 'artifacts' | 'repositories' | 'workflows' | 'triggers' | 'approvals' | 'findings' | 'mesh';
  readonly summary: string;
  readonly description?: string;
  /** Answered without an API key. */
  readonly open?: true;
  readonly query?: z.ZodObject;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly content: SchemaName | 'bytes' | 'json'; readonly required: boolean };
  readonly reply: RouteReply;
  /** Beside those that any route may answer. */
  readonly errors?: readonly ErrorCode[];
}

const ID = z.uuid();

export const PATH_PARAMETERS: Readonly<Record<string, { schema: z.ZodType; says: string }>> = {
  runId: { schema: RunId, says: 'Id of a run of your project.' },
  triggerId: { schema: ID, says: 'Id of a trigger.' },
  approvalId: { schema: ID, says: 'Id of an approval.' },
  fingerprint: { schema: Digest, says: 'Fingerprint of a finding, 64 lower-case hex digits.' },
  name: { schema: WorkflowDefinition.shape.name, says: 'Name of a shipped workflow.' },
  digest: { schema: Digest, says: 'SHA-256 of the content, 64 lower-case hex digits.' },
};

const CLONING = ['clone_failed', 'clone_timeout', 'invalid_repository', 'rate_limited', 'storage_full'] as const;
const WITH_BODY = ['payload_too_large', 'unsupported_media_type'] as const;
const FORK_ERRORS = ['not_found', 'gone', 'conflict', 'idempotency_key_reused'] as const;
const FORKING =
  'A new run by the same workflow on the same repository; the old one stays as it is. Approvals are asked for anew.';
const KEYED = { 'Idempotency-Key': 'Names this request within your project; 1 to 255 visible ASCII characters.' };
const run = (status: 200 | 202, says: string): RouteReply => ({ status, says, content: ['RunView'] });

const forked: RouteReply = { ...run(202, 'The new run.'), headers: { Location: 'Path of the new run.' } };

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
    headers: KEYED,
    body: { content: 'CreateRun', required: true },
    reply: { ...run(202, 'Accepted.'), headers: { Location: 'Path of the run.' } },
    errors: [...WITH_BODY, ...CLONING, 'invalid_workflow', 'unknown_action', 'idempotency_key_reused'],
  },
  {
    method: 'post',
    path: '/v1/runs/preview',
    id: 'previewRun',
    tag: 'runs',
    summary: 'Show what a submit would do if all went well',
    description:
      'The same body as a submit. Checked like one, but nothing is stored, started or cloned. Conditions are taken for true, and a fan-out for one step.',
    body: { content: 'CreateRun', required: true },
    reply: {
      status: 200,
      says: 'Waves of steps, effects, approvals, missing agents, limits.',
      content: ['RunPreview'],
    },
    errors: [...WITH_BODY, 'invalid_workflow', 'unknown_action'],
  },
  {
    method: 'get',
    path: '/v1/runs/{runId}/export',
    id: 'exportRun',
    tag: 'runs',
    summary: 'Export a run: definition, events, list of artifacts',
    description: 'As far as the run is. The content of artifacts is downloaded one by one.',
    reply: { status: 200, says: 'The run as a document, version 1.', content: ['RunExport'] },
    errors: ['not_found', 'gone'],
  },
  {
    method: 'post',
    path: '/v1/runs/import',
    id: 'importRun',
    tag: 'runs',
    summary: 'Import a run of another mesh, as one that is over',
    description:
      'It can be shown and forked. Upload the content of its artifacts first: digests of content that your project has not uploaded become zeros.',
    body: { content: 'RunExport', required: true },
    reply: { ...run(202, 'On record.'), headers: { Location: 'Path of the run.' } },
    errors: [...WITH_BODY],
  },
  {
    method: 'post',
    path: '/v1/runs/prune',
    id: 'pruneRuns',
    tag: 'runs',
    summary: 'Remove the detail of old runs of your project, or count them',
    description:
      'Events, steps, checkpoints and lists of artifacts of runs that have ended; verdict, reason, times, approvals and effects stay. What was removed answers 410. The mesh does this by itself after a time that its operator sets. Ask again while `more` is true.',
    body: { content: 'PruneBody', required: true },
    reply: { status: 200, says: 'How much was removed, or would be.', content: ['PruneReply'] },
    errors: [...WITH_BODY],
  },
  {
    method: 'get',
    path: '/v1/runs/{runId}/graph',
    id: 'graphRun',
    tag: 'runs',
    summary: 'Draw a run as it stands',
    query: RunGraphQuery,
    reply: { status: 200, says: 'The graph as data, or text of Mermaid.', content: ['RunGraph', 'text'] },
    errors: ['not_found', 'gone'],
  },
  {
    method: 'get',
    path: '/v1/workflows/{name}/graph',
    id: 'graphWorkflow',
    tag: 'workflows',
    summary: 'Draw a shipped workflow',
    query: RunGraphQuery,
    reply: { status: 200, says: 'The graph as data, or text of Mermaid.', content: ['RunGraph', 'text'] },
    errors: ['not_found'],
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
    description:
      'With `at`, as it was after that event of it. Of a run with `prunedAt` only what it was to do and how it ended is known.',
    query: RunViewQuery,
    reply: run(200, 'The run.'),
    errors: ['not_found', 'gone'],
  },
  {
    method: 'post',
    path: '/v1/runs/{runId}/retry',
    id: 'retryRun',
    tag: 'runs',
    summary: 'Go on from a run that failed: what succeeded is kept, the rest is done again',
    description: FORKING,
    headers: KEYED,
    reply: forked,
    errors: [...FORK_ERRORS],
  },
  {
    method: 'post',
    path: '/v1/runs/{runId}/rerun',
    id: 'rerunRun',
    tag: 'runs',
    summary: 'Do a step of a run again, and all that follows it',
    description: FORKING,
    headers: KEYED,
    body: { content: 'RerunBody', required: true },
    reply: forked,
    errors: [...WITH_BODY, ...FORK_ERRORS],
  },
  {
    method: 'post',
    path: '/v1/runs/{runId}/fork',
    id: 'forkRun',
    tag: 'runs',
    summary: 'Do a step of a run again with another input, and all that follows it',
    description: FORKING,
    headers: KEYED,
    body: { content: 'ForkBody', required: true },
    reply: forked,
    errors: [...WITH_BODY, ...FORK_ERRORS, 'invalid_input'],
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
    path: '/v1/runs/{runId}/pause',
    id: 'pauseRun',
    tag: 'runs',
    summary: 'Pause a run: what is under way ends, nothing new begins',
    body: { content: 'PauseBody', required: false },
    reply: run(202, 'Asked for. A run that has ended stays as it ended.'),
    errors: [...WITH_BODY, 'not_found'],
  },
  {
    method: 'get',
    path: '/v1/runs/{runId}/effects',
    id: 'listEffects',
    tag: 'runs',
    summary: 'List what a run did to the world outside, or may have',
    reply: { status: 200, says: 'All of them, the first claimed first.', content: ['EffectPage'] },
    errors: ['not_found'],
  },
  {
    method: 'get',
    path: '/v1/runs/{runId}/findings',
    id: 'listFindings',
    tag: 'findings',
    summary: 'List the findings that a run saw in its repository, and what became of each',
    description: 'Those of reviews of the whole commit that a run began with.',
    reply: { status: 200, says: 'By path.', content: ['FindingPage'] },
    errors: ['not_found'],
  },
  {
    method: 'post',
    path: '/v1/runs/{runId}/findings/{fingerprint}/verdict',
    id: 'judgeFinding',
    tag: 'findings',
    summary: 'Say that a finding is right, or false',
    description:
      'A rejected finding is not told again in that repository, and a rule that people reject falls silent in the project. The last word counts.',
    body: { content: 'FindingVerdictBody', required: true },
    reply: { status: 200, says: 'On record.', content: ['FindingRecord'] },
    errors: [...WITH_BODY, 'not_found'],
  },
  {
    method: 'get',
    path: '/v1/rules/precision',
    id: 'listRulePrecision',
    tag: 'findings',
    summary: 'Show how often each rule was right in your project',
    reply: { status: 200, says: 'Rules with a finding on record, by id.', content: ['RulePrecisionList'] },
  },
  {
    method: 'get',
    path: '/v1/approvals',
    id: 'listApprovals',
    tag: 'approvals',
    summary: 'List what your project is asked, oldest first',
    query: ApprovalListQuery,
    reply: { status: 200, says: 'A page; `nextCursor` is null on the last one.', content: ['ApprovalPage'] },
  },
  {
    method: 'get',
    path: '/v1/approvals/{approvalId}',
    id: 'getApproval',
    tag: 'approvals',
    summary: 'Show what is asked, with the hash of what a verdict binds',
    reply: { status: 200, says: 'The approval as it is now.', content: ['ApprovalRecord'] },
    errors: ['not_found'],
  },
  {
    method: 'post',
    path: '/v1/approvals/{approvalId}/verdict',
    id: 'decideApproval',
    tag: 'approvals',
    summary: 'Approve or reject',
    description:
      'Send the `hash` that you saw: a verdict on anything else is refused. The same verdict by the same key again is answered as the first time.',
    body: { content: 'VerdictBody', required: true },
    reply: { status: 200, says: 'On record, and told to the run.', content: ['ApprovalRecord'] },
    errors: [...WITH_BODY, 'not_found', 'approval_closed', 'approval_changed'],
  },
  {
    method: 'post',
    path: '/v1/runs/{runId}/resume',
    id: 'resumeRun',
    tag: 'runs',
    summary: 'Wake a stuck run, or let a paused one go on',
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
    errors: ['not_found', 'gone'],
  },
  {
    method: 'get',
    path: '/v1/runs/{runId}/artifacts',
    id: 'listArtifacts',
    tag: 'artifacts',
    summary: 'List the artifacts of a run',
    reply: { status: 200, says: 'In the order in which they came.', content: ['ArtifactList'] },
    errors: ['not_found', 'gone'],
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
    errors: ['not_found', 'gone'],
  },
  {
    method: 'head',
    path: '/v1/artifacts/{digest}',
    id: 'headArtifact',
    tag: 'artifacts',
    summary: 'Tell whether an artifact can be downloaded, and its size',
    query: ArtifactQuery,
    reply: { status: 200, says: 'It can.', content: [], headers: { 'Content-Length': 'Its size in bytes.' } },
    errors: ['not_found', 'gone'],
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
    path: '/v1/status',
    id: 'getStatus',
    tag: 'mesh',
    summary: 'Tell how the mesh is: healthy, degraded or unhealthy, by which rules',
    reply: { status: 200, says: 'The state, each rule that holds, and the load.', content: ['SystemStatus'] },
  },
  {
    method: 'get',
    path: '/v1/whoami',
    id: 'whoAmI',
    tag: 'mesh',
    summary: 'Tell whose API key this is',
    reply: { status: 200, says: 'Project and name of the key.', content: ['WhoAmI'] },
  },
  {
    method: 'post',
    path: '/v1/triggers',
    id: 'createTrigger',
    tag: 'triggers',
    summary: 'Start runs by a schedule or by a webhook',
    description: 'The secret of a webhook is in this answer and in no other: set it at the sender.',
    body: { content: 'CreateTrigger', required: true },
    reply: { status: 200, says: 'It is on record.', content: ['TriggerCreated'] },
    errors: [...WITH_BODY, 'conflict'],
  },
  {
    method: 'get',
    path: '/v1/triggers',
    id: 'listTriggers',
    tag: 'triggers',
    summary: 'List the triggers of your project',
    reply: { status: 200, says: 'All of them, by name.', content: ['TriggerList'] },
  },
  {
    method: 'get',
    path: '/v1/triggers/{triggerId}',
    id: 'getTrigger',
    tag: 'triggers',
    summary: 'Show a trigger: when it fires next, what it last did',
    reply: { status: 200, says: 'The trigger.', content: ['TriggerView'] },
    errors: ['not_found'],
  },
  {
    method: 'delete',
    path: '/v1/triggers/{triggerId}',
    id: 'removeTrigger',
    tag: 'triggers',
    summary: 'Remove a trigger',
    description: 'Runs that it started go on.',
    reply: { status: 200, says: 'The trigger as it was.', content: ['TriggerView'] },
    errors: ['not_found'],
  },
  {
    method: 'post',
    path: '/v1/hooks/{triggerId}',
    id: 'deliver',
    tag: 'triggers',
    summary: 'Take a delivery of a webhook',
    description:
      'Wants no API key, but a signature: `X-Hub-Signature-256` (GitHub, Gitea, Forgejo) or `X-Gitlab-Token`. The same delivery again starts nothing.',
    open: true,
    body: { content: 'bytes', required: true },
    reply: { status: 202, says: 'On record, or why it starts nothing.', content: ['DeliveryReply'] },
    errors: ['unauthenticated', 'payload_too_large'],
  },
  {
    method: 'post',
    path: '/mcp',
    id: 'mcp',
    tag: 'mesh',
    summary: 'Serve an assistant: MCP over streamable HTTP',
    description:
      'JSON-RPC as the Model Context Protocol has it, revision 2026-07-28 and those of 2025, without sessions. ' +
      'Answered only by the names of this gateway (`Host`), and not to pages of other sites (`Origin`).',
    body: { content: 'json', required: true },
    reply: {
      status: 200,
      says: 'The answer, or a stream of what happens and then the answer.',
      content: ['json', 'events'],
    },
    errors: ['forbidden', 'payload_too_large', 'unsupported_media_type'],
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
