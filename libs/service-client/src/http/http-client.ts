import { setTimeout as delay } from 'node:timers/promises';
import axios, { type AxiosInstance } from 'axios';
import type { Agent } from 'undici';
import { keepAliveAgent, undiciAdapter } from './undici-adapter.js';

export interface HttpClient {
  readonly http: AxiosInstance;
  /** Closes kept connections; calls under way are broken. */
  close(): Promise<void>;
}

/** What a call needs of axios's defaults; the rest would be merged into the configuration of every call. */
const NEEDED = new Set(['adapter', 'transformRequest', 'transformResponse', 'validateStatus', 'headers']);

/** The one axios instance of a process: bodies and replies as they are, every status an answer. */
export function createHttpClient(agent: Agent = keepAliveAgent()): HttpClient {
  const http = axios.create({
    adapter: undiciAdapter(agent),
    transformRequest: [],
    transformResponse: [],
    validateStatus: null,
  });
  for (const name of Object.keys(http.defaults)) if (!NEEDED.has(name)) Reflect.deleteProperty(http.defaults, name);
  // What axios would add to every request by itself is not wanted by our services.
  for (const name of Object.keys(http.defaults.headers)) Reflect.deleteProperty(http.defaults.headers, name);
  http.defaults.headers.common = { accept: 'application/json, application/problem+json' };
  return { http, close: () => agent.destroy() };
}

/** Waits; ends early, without an error, when the signal fires. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    // Given up: the caller looks at its signal.
  }
}
