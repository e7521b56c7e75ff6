import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Json } from '@devmesh/contracts/json';
import type { TriggerOn, TriggerRun } from '@devmesh/contracts/trigger';

/** A delivery of a webhook as it came in. */
export interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

function header(headers: IncomingHttpHeaders, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

function same(given: string, expected: string): boolean {
  // Of equal length whatever was given, so that time tells nothing.
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}

/**
 * Whether a delivery is signed with the secret: HMAC-SHA256 of the body as GitHub, Gitea and Forgejo send it
 * (`X-Hub-Signature-256: sha256=…`), or the secret itself, as GitLab does (`X-Gitlab-Token`).
 */
export function isSigned({ headers, body }: Delivery, secret: string): boolean {
  const signature = header(headers, 'x-hub-signature-256');
  if (signature !== undefined)
    return same(signature, `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  const token = header(headers, 'x-gitlab-token');
  return token !== undefined && same(token, secret);
}

/** What names a delivery: what its sender calls it, else its content. The same again is the same delivery. */
export function deliveryKey({ headers, body }: Delivery): string {
  const given = header(headers, 'x-github-delivery', 'x-gitea-delivery', 'x-gitlab-event-uuid', 'idempotency-key');
  if (given !== undefined && /^[A-Za-z0-9_-]{1,100}$/.test(given)) return given;
  return createHash('sha256').update(body).digest('hex');
}

/** The event's name as its sender has it. */
export function eventOf({ headers }: Delivery): string {
  return (header(headers, 'x-github-event', 'x-gitea-event', 'x-gitlab-event') ?? 'delivery').slice(0, 100);
}

function member(value: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (at, key) =>
      at !== null && typeof at === 'object' && !Array.isArray(at) && Object.hasOwn(at, key) ? at[key] : undefined,
    value,
  );
}

/** The branch that a delivery is about: what was pushed, or the head of a pull or merge request. */
export function branchOf(body: Json): string | undefined {
  const ref = member(body, ['ref']);
  if (typeof ref === 'string') return ref.replace(/^refs\/heads\//, '');
  const head = member(body, ['pull_request', 'head', 'ref']) ?? member(body, ['object_attributes', 'source_branch']);
  return typeof head === 'string' ? head : undefined;
}

/** A pattern with at most one `*`. */
function matches(pattern: string, text: string): boolean {
  const [start = '', end] = pattern.split('*');
  if (end === undefined) return text === pattern;
  return text.length >= start.length + end.length && text.startsWith(start) && text.endsWith(end);
}

/** Why a delivery starts nothing; null when it does. */
export function refusal(
  on: Extract<TriggerOn, { kind: 'webhook' }>,
  event: string,
  branch: string | undefined,
): string | null {
  if (event === 'ping') return 'a ping: the webhook is set up';
  if (on.events.length > 0 && !on.events.some((pattern) => matches(pattern, event)))
    return `event ${event} is not among ${on.events.join(', ')}`;
  if (on.branches.length > 0 && !on.branches.some((pattern) => branch !== undefined && matches(pattern, branch)))
    return `branch ${branch ?? '(none)'} is not among ${on.branches.join(', ')}`;
  return null;
}

const REFERENCE = /\$\{\{([^}]{1,200})\}\}/g;
const PART = 2000;

/** The run that a delivery asks for: its parts put in where the trigger names them. What is no text there becomes nothing. */
export function runOf(run: TriggerRun, event: string, branch: string | undefined, body: Json): TriggerRun {
  const part = (name: string): string => {
    if (name === 'event') return event;
    if (name === 'branch') return branch ?? '';
    const path = name.split('.');
    const found = path[0] === 'body' ? member(body, path.slice(1)) : undefined;
    return typeof found === 'string' || typeof found === 'number' ? String(found).slice(0, PART) : '';
  };
  const filled = (text: string) => text.replace(REFERENCE, (_whole, name: string) => part(name.trim()));
  const { repository } = run;
  return {
    ...run,
    task: filled(run.task),
    ...(repository
      ? { repository: repository.ref === undefined ? repository : { ...repository, ref: filled(repository.ref) } }
      : {}),
  };
}
