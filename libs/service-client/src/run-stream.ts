import type { Readable } from 'node:stream';
import { DevmeshError } from '@devmesh/contracts/errors';
import { StoredEvent } from '@devmesh/contracts/event';
import { Progress } from '@devmesh/contracts/state-api';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { readValue } from './http/reply.js';
import { TransportError } from './http/transport-error.js';

/** What one hears while following a run. `reconnecting` says why the stream broke. */
export type RunSignal =
  | { readonly type: 'event'; readonly stored: StoredEvent }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'reconnecting'; readonly because: string }
  | { readonly type: 'end' };

export interface FollowOptions {
  /** Opens the stream of what came after an event's number. */
  readonly open: (lastEventId: number) => Promise<Readable>;
  readonly after: number;
  /** How long the other side may be gone, ms. */
  readonly patienceMs: number;
  readonly signal?: AbortSignal;
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** First and longest pause between two attempts, ms. */
const PAUSE_MS = 200;
const MAX_PAUSE_MS = 5_000;

/** See `GatewayClient.follow`. */
export async function* followRun(options: FollowOptions): AsyncGenerator<RunSignal> {
  const { signal, now } = options;
  let last = options.after;
  let pause = PAUSE_MS;
  let goneSince: number | undefined;
  const gaveUp = (): boolean => signal?.aborted === true;
  while (!gaveUp()) {
    let because = 'the stream ended';
    let source: Readable | undefined;
    try {
      source = await options.open(last);
      for await (const item of readSignals(source)) {
        pause = PAUSE_MS;
        goneSince = undefined;
        if (item.type === 'event') {
          // A gateway that was restarted may begin a little earlier.
          if (item.stored.seq <= last) continue;
          last = item.stored.seq;
        }
        yield item;
        if (item.type === 'end') return;
      }
    } catch (error) {
      if (gaveUp()) return;
      if (error instanceof DevmeshError && !(error instanceof TransportError) && !error.retryable) throw error;
      because = error instanceof Error ? error.message : String(error);
      goneSince ??= now();
      if (now() - goneSince >= options.patienceMs) {
        throw new DevmeshError(
          'unavailable',
          `the gateway has not answered for ${Math.round((now() - goneSince) / 1000)} s (${because})`,
        );
      }
    } finally {
      source?.destroy();
    }
    yield { type: 'reconnecting', because };
    await options.sleep(pause, signal);
    pause = Math.min(pause * 2, MAX_PAUSE_MS);
  }
}

async function* readSignals(source: Readable): AsyncGenerator<RunSignal> {
  const ready: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => ready.push(message) });
  const decoder = new TextDecoder();
  for await (const chunk of source) {
    parser.feed(decoder.decode(chunk as Buffer, { stream: true }));
    for (const message of ready.splice(0)) {
      const signal = toSignal(message);
      if (signal !== undefined) yield signal;
    }
  }
}

function toSignal({ event, data }: EventSourceMessage): RunSignal | undefined {
  switch (event) {
    case 'event':
      return { type: 'event', stored: readValue(StoredEvent, data, 'an event of the run') };
    case 'progress':
      return { type: 'progress', progress: readValue(Progress, data, 'the progress of the run') };
    case 'end':
      return { type: 'end' };
    default:
      // Kinds that a later gateway may add.
      return undefined;
  }
}
