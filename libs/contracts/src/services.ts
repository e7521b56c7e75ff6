import { z } from 'zod';

/** The nine services, their default ports and the most of their heap, MB: the one list that everything else derives from. */
export const SERVICES = {
  gateway: { port: 8000, agent: false, heapMb: 384 },
  orchestrator: { port: 8001, agent: false, heapMb: 384 },
  'feature-dev': { port: 8002, agent: true, heapMb: 384 },
  'code-review': { port: 8003, agent: true, heapMb: 768 },
  infrastructure: { port: 8004, agent: true, heapMb: 384 },
  cicd: { port: 8005, agent: true, heapMb: 384 },
  documentation: { port: 8006, agent: true, heapMb: 384 },
  'rag-context': { port: 8007, agent: true, heapMb: 768 },
  'state-persistence': { port: 8008, agent: false, heapMb: 512 },
} as const satisfies Record<string, { port: number; agent: boolean; heapMb: number }>;

export type ServiceName = keyof typeof SERVICES;
export const SERVICE_NAMES = Object.keys(SERVICES) as [ServiceName, ...ServiceName[]];
export const ServiceName = z.enum(SERVICE_NAMES);

/** First of the nine consecutive default ports; the order of `SERVICES` is the order of the ports. */
export const DEFAULT_PORT_BASE = 8000;

/** First of the nine inspector ports, where services are started with an inspector; in the order of `SERVICES`, too. */
export const DEFAULT_INSPECTOR_BASE = 9230;
