/** One message of a server-sent event stream. `id` becomes the client's `Last-Event-ID`. */
export interface ServerSentEvent {
  readonly event: string;
  readonly id?: number;
  readonly data: unknown;
}

/** The bytes of a message (WHATWG HTML, section 9.2). JSON has no raw line break, so one `data:` line always does. */
export function frame({ event, id, data }: ServerSentEvent): string {
  const head = id === undefined ? '' : `id: ${id}\n`;
  return `${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A comment: keeps proxies from taking a quiet stream for a dead one; clients ignore it. */
export const KEEP_ALIVE = ': keep-alive\n\n';

/** How long a client waits before it comes back after the connection ended, ms. */
export function retryAfter(ms: number): string {
  return `retry: ${ms}\n\n`;
}

/**
 * After which event a stream starts: the `Last-Event-ID` of a client that comes back, or what its URL says, which it
 * repeats. `undefined` when the header is not the number of an event.
 */
export function resumePoint(lastEventId: string | undefined, after: number): number | undefined {
  if (lastEventId === undefined || lastEventId === '') return after;
  return /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : undefined;
}
