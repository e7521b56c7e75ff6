import type { EventOf } from '@devmesh/contracts/event';
import type { RunView } from '@devmesh/contracts/gateway-api';
import type { MeshApi } from '../gateway/mesh-api.js';

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly seen: (run: RunView, progress: ReadonlyMap<string, string>) => void;
  /** A step sends work back: between two looks at the run its verdict comes and goes. */
  readonly sentBack?: (event: EventOf<'ReworkStarted'>) => void;
  /** Least time between two looks at the run, ms: many events then cost one look. */
  readonly everyMs?: number;
}

const SETTLED_CHECK_MS = 3_000;

/**
 * Watches a run to its end, or until it is stuck, or until the signal. The stream of events says when to look; what is shown is
 * always the gateway's own view. Gives the last view, or null when the signal came first.
 */
export async function followRun(
  api: MeshApi,
  first: RunView,
  { signal, seen, sentBack, everyMs = 60 }: FollowOptions,
): Promise<RunView | null> {
  const progress = new Map<string, string>();
  let run = first;
  seen(run, progress);
  const over = (): boolean => run.status !== 'running';
  if (over()) return run;

  const done = new AbortController();
  const both = AbortSignal.any([signal, done.signal]);
  let ended = false;
  let dirty = false;
  let wake: () => void = () => {};
  const touch = (): void => {
    dirty = true;
    wake();
  };
  const broken: Error[] = [];
  const listening = (async (): Promise<void> => {
    for await (const heard of api.watch(run.id, run.lastSeq, both)) {
      if (heard.kind === 'progress') {
        progress.set(heard.step, heard.message);
        seen(run, progress);
        continue;
      }
      const event = heard.kind === 'event' ? heard.event.event : null;
      if (event?.type === 'StepScheduled') progress.delete(event.step);
      if (event?.type === 'ReworkStarted') sentBack?.(event);
      if (heard.kind === 'end') ended = true;
      touch();
      if (ended) return;
    }
  })().catch((error: unknown) => {
    broken.push(error instanceof Error ? error : new Error(String(error)));
    touch();
  });
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  try {
    while (!signal.aborted) {
      if (!dirty) {
        await new Promise<void>((resolve) => {
          // Should the stream fall silent, the run is looked at all the same.
          const timer = setTimeout(resolve, SETTLED_CHECK_MS);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
          // The signal may have come before anybody could be woken.
          if (signal.aborted) wake();
        });
        if (signal.aborted) break;
      }
      if (broken[0] !== undefined) throw broken[0];
      dirty = false;
      run = await api.run(run.id);
      seen(run, progress);
      if (over()) return run;
      // After the stream's end the view follows at once; a restart of the gateway in between may delay it.
      await new Promise((resolve) => setTimeout(resolve, ended ? 50 : everyMs));
      if (ended) dirty = true;
    }
    return null;
  } finally {
    signal.removeEventListener('abort', onAbort);
    done.abort();
    await listening;
  }
}
