import type { Response } from 'express';

/** Fires when nobody waits for the answer any more, or `shutdown` fires: what a long poll listens to. */
export function requestSignal(response: Response, shutdown: AbortSignal): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return AbortSignal.any([gone.signal, shutdown]);
}
