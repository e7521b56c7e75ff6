import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const Address = z.string().regex(/^[^\s/:]+:\d+$/, 'must be host:port');
const CHANNELS = ['email', 'slack', 'discord', 'pagerduty'] as const;

/** What differs from one installation to the next: `monitoring/site.yaml`. */
const Site = z.strictObject({
  runbooks: z.url(),
  consul: Address,
  alertmanager: Address,
  host: z.string().min(1),
  secrets: z.string().startsWith('/', 'must be an absolute path'),
  channels: z.array(z.enum(CHANNELS)).min(1),
  email: z.strictObject({ smarthost: Address, from: z.string(), to: z.string(), user: z.string() }),
  slack: z.strictObject({ channel: z.string() }),
  traces: z.strictObject({
    to: z.array(z.enum(['jaeger', 'tempo', 'file'])).min(1),
    jaeger: Address,
    tempo: Address,
    file: z.string(),
  }),
  logs: z.strictObject({ folder: z.string(), loki: z.url(), elasticsearch: z.url() }),
  grafana: z.strictObject({ prometheus: z.url(), jaeger: z.url(), loki: z.url(), dashboards: z.string() }),
});
export type Site = z.output<typeof Site>;
export type Channel = Site['channels'][number];

/** Reads the file. Throws with the path of what is wrong. */
export function readSite(path: string): Site {
  const site = Site.safeParse(parse(readFileSync(path, 'utf8')));
  if (site.success) return site.data;
  const problems = site.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw new Error(`${path} can't be used: ${problems.join('; ')}`);
}
