import { Digest } from '@devmesh/contracts/ids';
import type { Finding } from '@devmesh/contracts/finding';
import { z } from 'zod';
import { readLocated, type PolicyProblem } from './located-yaml.js';

const BaselineFile = z.strictObject({
  version: z.literal(1, { error: 'this Devmesh reads version 1' }),
  findings: z
    .array(z.strictObject({ path: z.string().max(4096), rule: z.string().max(100), fingerprint: Digest }))
    .max(100_000),
});

/** Findings that a project has decided to live with for now, by their fingerprints. */
export type Baseline = z.infer<typeof BaselineFile>['findings'];

export function readBaseline(
  path: string,
  text: string,
): { readonly baseline: Baseline } | { readonly problems: readonly PolicyProblem[] } {
  const read = readLocated(path, text, BaselineFile);
  if (!('problems' in read)) return { baseline: read.value.findings };
  const cure = `write it anew: devmesh review --write-baseline`;
  return { problems: read.problems.map((one) => ({ ...one, message: `${one.message}; ${cure}` })) };
}

/** The file with these findings, in an order that depends on them alone; one a line, for diffs. */
export function baselineText(findings: readonly Finding[]): string {
  const lines = findings
    .map(({ location, rule, fingerprint }) => ({ path: location.path, rule, fingerprint }))
    .map((entry) => JSON.stringify(entry))
    .sort();
  return `{ "version": 1, "findings": [${[...new Set(lines)].map((line) => `\n  ${line}`).join(',')}\n] }\n`;
}
