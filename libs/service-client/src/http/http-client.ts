import { setTimeout as delay } from 'node:timers/promises';
import axios, { type AxiosInstance } from 'axios';
import type { Agent } from 'undici';
import { keepAliveAgent, undiciAdapter } from './undici-adapter.js';

export interface HttpClient {
  readonly http: AxiosInstance;
  /** Closes kept connections; calls under way are broken. */
  close(): Promise<void>;
}

/** The one axios instance of a process: bodies and replies as they are, every status an answer. */
export function createHttpClient(agent: Agent = keepAliveAgent()): HttpClient {
  const http = axios.create({
    adapter: undiciAdapter(agent),
    transformRequest: [],
    transformResponse: [],
    validateStatus: null,
    maxRedirects: 0,
  });
  // What axios would add to every request by itself is not wanted by our services.
  http.defaults.headers.common = { accept: 'application/json, application/problem+json' };
  for (const method of ['post', 'put', 'patch'] as const) http.defaults.headers[method] = {};
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
