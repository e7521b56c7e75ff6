import { z } from 'zod';

/** The nine services and their default ports: the one list that everything else derives from. */
export const SERVICES = {
  gateway: { port: 8000, agent: false },
  orchestrator: { port: 8001, agent: false },
  'feature-dev': { port: 8002, agent: true },
  'code-review': { port: 8003, agent: true },
  infrastructure: { port: 8004, agent: true },
  cicd: { port: 8005, agent: true },
  documentation: { port: 8006, agent: true },
  'rag-context': { port: 8007, agent: true },
  'state-persistence': { port: 8008, agent: false },
} as const satisfies Record<string, { port: number; agent: boolean }>;

export type ServiceName = keyof typeof SERVICES;
export const SERVICE_NAMES = Object.keys(SERVICES) as [ServiceName, ...ServiceName[]];
export const ServiceName = z.enum(SERVICE_NAMES);

/** First of the nine consecutive default ports; the order of `SERVICES` is the order of the ports. */
export const DEFAULT_PORT_BASE = 8000;
