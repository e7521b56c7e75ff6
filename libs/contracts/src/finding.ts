import { z } from 'zod';
import { Digest } from './ids.js';

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'] as const;
/** Worst first. */
export const Severity = z.enum(SEVERITIES);
export type Severity = z.infer<typeof Severity>;

/** How many findings of each severity. */
export const SeverityCounts = z.object({
  critical: z.number().int().nonnegative(),
  high: z.number().int().nonnegative(),
  medium: z.number().int().nonnegative(),
  low: z.number().int().nonnegative(),
  info: z.number().int().nonnegative(),
});
export type SeverityCounts = z.infer<typeof SeverityCounts>;

/** The classes of findings and the CWEs that each covers. One defect, one class. A class is added by an ADR. */
export const FINDING_CLASSES = {
  'sql-injection': [89, 564],
  'nosql-injection': [943],
  'command-injection': [78, 77, 88],
  'code-injection': [94, 95, 96, 913, 470],
  'template-injection': [1336],
  'path-traversal': [22, 23, 36, 73, 35, 24, 26, 27, 409],
  xss: [79, 80, 116, 83],
  ssrf: [918],
  'open-redirect': [601],
  xxe: [611, 776, 827],
  'ldap-injection': [90],
  'xpath-injection': [643, 91],
  deserialization: [502],
  'prototype-pollution': [1321, 915],
  'regex-dos': [1333, 730, 185],
  'weak-crypto': [327, 328, 326, 916, 759, 760, 329, 323, 780, 310],
  'insecure-random': [338, 330, 335, 331, 340, 337],
  'tls-verify-off': [295, 297, 296, 322, 299],
  cleartext: [319, 311, 300, 523, 757],
  'hardcoded-secret': [798, 321, 259, 260, 522, 256, 547],
  'jwt-misuse': [347, 345],
  'cookie-flags': [614, 1004, 1275],
  cors: [942, 346],
  csrf: [352],
  'debug-enabled': [489, 215],
  'log-injection': [117, 93],
  'header-injection': [113, 644, 444],
  'info-exposure': [532, 209, 200, 497, 548, 201, 539, 315, 312, 313],
  'file-permissions': [732, 276, 279, 280],
  'insecure-temp-file': [377, 379, 378, 59, 61],
  'bind-all': [605, 1327],
  'resource-limits': [400, 770, 799, 779],
  'timing-attack': [208],
  'format-string': [134],
  'web-headers': [1021, 693, 1022],
  'error-handling': [703, 755, 754, 390, 391, 252],
  'unhandled-promise': [],
  'trust-boundary': [501],
  'memory-unsafe': [242, 119, 120, 676, 787, 125, 190, 191, 118],
  auth: [287, 306, 862, 863],
  bug: [],
  'docs-drift': [],
  'docker-root-user': [],
  'docker-unpinned': [],
  'docker-cleanup': [],
  'docker-interactive': [],
  'docker-recommends': [],
  'docker-sudo': [],
  'docker-copy': [],
  'docker-workdir': [],
  'docker-cmd': [],
  'docker-shell': [],
  'docker-label': [],
  'docker-pkg': [],
  'docker-invalid': [],
  'network-open': [],
  'public-access': [],
  encryption: [],
  iam: [],
  'logging-backup': [],
  'tf-other': [],
  'k8s-privilege': [],
  'k8s-resources': [],
  'gha-injection': [],
  'gha-unpinned': [],
  'gha-permissions': [],
  'gha-secrets': [],
  'gha-syntax': [],
} as const satisfies Record<string, readonly number[]>;
export type FindingClass = keyof typeof FINDING_CLASSES;
export const FindingClass = z.enum(Object.keys(FINDING_CLASSES) as [FindingClass, ...FindingClass[]]);

/** A replacement of bytes `[start, end)` of the file (UTF-8 byte offsets) that removes the finding. */
export const FixEdit = z.object({
  start: z.number().int().nonnegative(),
  end: z.number().int().nonnegative(),
  text: z.string().max(10_000),
});
export type FixEdit = z.infer<typeof FixEdit>;

/** 1-based lines and columns; columns count UTF-16 code units as SARIF's default does. `path` is relative, with "/". */
export const FindingLocation = z.object({
  path: z.string().min(1).max(4096),
  startLine: z.number().int().positive(),
  startColumn: z.number().int().positive(),
  endLine: z.number().int().positive(),
  endColumn: z.number().int().positive(),
});
export type FindingLocation = z.infer<typeof FindingLocation>;

/**
 * A located problem. `fingerprint` survives line moves: SHA-256 over rule, path, normalised text and its ordinal among
 * equals. Secret values never appear in `message` or `snippet`: they are masked.
 */
export const Finding = z.object({
  rule: z.string().min(1).max(100),
  class: FindingClass,
  cwe: z.number().int().positive().optional(),
  severity: Severity,
  confidence: z.enum(['high', 'medium', 'low']),
  message: z.string().min(1).max(2000),
  location: FindingLocation,
  snippet: z.string().max(1000),
  fingerprint: Digest,
  /** The way of data, from where it comes in to the last place before this one; each station says what happens there. */
  trace: z
    .array(FindingLocation.extend({ note: z.string().max(200) }))
    .max(20)
    .optional(),
  fix: z.object({ description: z.string().max(500), edits: z.array(FixEdit).min(1).max(50) }).optional(),
});
export type Finding = z.infer<typeof Finding>;

/** The content of a findings artifact (`application/json`). */
export const FindingsDocument = z.object({ version: z.literal(1), findings: z.array(Finding).max(100_000) });
export type FindingsDocument = z.infer<typeof FindingsDocument>;
