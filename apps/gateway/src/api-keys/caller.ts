import type { Request } from 'express';

/** Who is asking: the API key that was shown, by what is on record of it. */
export interface Caller {
  readonly keyId: string;
  readonly projectId: string;
  /** Name of the key. */
  readonly name: string;
}

const callers = new WeakMap<Request, Caller>();

export function setCaller(request: Request, caller: Caller): void {
  callers.set(request, caller);
}

/** The caller of a request that passed the door; asking for one that did not is a programming error. */
export function callerOf(request: Request): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error('a route that asks who is calling must want an API key');
  return caller;
}
