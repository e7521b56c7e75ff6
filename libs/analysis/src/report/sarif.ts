import type { CodeFlow, Log, ReportingDescriptor, Result, Suppression } from 'sarif';
import type { Finding, Severity } from '@devmesh/contracts/finding';
import type { SuppressedFinding } from '../policy/apply-settings.js';
import { ranked } from './ranking.js';
import type { RuleDefinition } from '../rules/rule.js';

const LEVEL: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  info: 'note',
};

/** GitHub's scale for security results, 0 to 10; the middle of each of its bands. */
const SCORE: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '2.0',
  info: '0.5',
};

const INFORMATION_URI = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html';
const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json';

/** What stays in the file beside what is told, each with why it is not. */
export interface SarifExtras {
  readonly suppressed?: readonly SuppressedFinding[];
}

export interface SarifTool {
  readonly version: string;
  readonly rules: readonly RuleDefinition[];
}

/** Findings as one SARIF 2.1.0 run. Paths are relative to `SRCROOT`; columns count UTF-16 code units. The same findings give the same bytes. */
export function toSarif(told: readonly Finding[], tool: SarifTool, { suppressed = [] }: SarifExtras = {}): Log {
  const known = new Map(tool.rules.map((rule) => [rule.id, rule]));
  const findings = [...told, ...suppressed.map(({ finding }) => finding)];
  const ids = [...new Set(findings.map(({ rule }) => rule))].sort();
  const ranks = new Map(ranked(findings).map((finding, i) => [finding, rankOf(i, findings.length)]));
  const resultOf = (finding: Finding): Result => ({
    ...result(finding, ids.indexOf(finding.rule)),
    rank: ranks.get(finding) ?? 0,
  });
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Devmesh code-review',
            version: tool.version,
            informationUri: INFORMATION_URI,
            rules: ids.map((id) => descriptor(id, known.get(id), findings)),
          },
        },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { SRCROOT: { description: { text: 'The root of the repository' } } },
        results: [
          ...told.map(resultOf),
          ...suppressed.map((one) => ({ ...resultOf(one.finding), suppressions: [suppressionOf(one)] })),
        ],
      },
    ],
  };
}

/** 100 for the first, 0 for the last. */
function rankOf(index: number, count: number): number {
  return count < 2 ? 100 : Math.round((100 * (count - 1 - index)) / (count - 1));
}

/** A comment stands in the source; everything else is known from elsewhere. */
function suppressionOf({ by, reason }: SuppressedFinding): Suppression {
  return { kind: by === 'comment' ? 'inSource' : 'external', status: 'accepted', justification: reason };
}

function descriptor(id: string, rule: RuleDefinition | undefined, findings: readonly Finding[]): ReportingDescriptor {
  const first = findings.find((finding) => finding.rule === id);
  const text = rule?.message ?? first?.message ?? id;
  const severity = rule?.severity ?? first?.severity ?? 'info';
  const cwe = rule?.cwe ?? first?.cwe;
  const kind = rule?.class ?? first?.class;
  const [help] = rule?.references ?? [];
  return {
    id,
    shortDescription: { text: text.split('. ')[0] ?? text },
    fullDescription: { text },
    defaultConfiguration: { level: LEVEL[severity] },
    ...(help === undefined ? {} : { helpUri: help }),
    properties: {
      'security-severity': SCORE[severity],
      tags: [...(kind ? [kind] : []), ...(cwe === undefined ? [] : [`external/cwe/cwe-${cwe}`])],
    },
  };
}

function result(finding: Finding, ruleIndex: number): Result {
  const { location, snippet } = finding;
  return {
    ruleId: finding.rule,
    ruleIndex,
    level: LEVEL[finding.severity],
    message: { text: finding.message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(location.path), uriBaseId: 'SRCROOT' },
          region: {
            startLine: location.startLine,
            startColumn: location.startColumn,
            endLine: location.endLine,
            endColumn: location.endColumn,
            ...(snippet === '' ? {} : { snippet: { text: snippet } }),
          },
        },
      },
    ],
    ...(finding.trace && finding.trace.length > 0 ? { codeFlows: [flowOf(finding, finding.trace)] } : {}),
    partialFingerprints: { 'devmesh/v1': finding.fingerprint },
    ...(finding.fix ? { fixes: [fixOf(finding.location.path, finding.fix)] } : {}),
    properties: { severity: finding.severity, confidence: finding.confidence, class: finding.class },
  };
}

/** The way of data, from where it comes in to the finding itself. */
function flowOf({ location, message }: Finding, trace: NonNullable<Finding['trace']>): CodeFlow {
  const stations = [...trace, { ...location, note: message.split('. ')[0] ?? message }];
  return {
    threadFlows: [
      {
        locations: stations.map(({ path, startLine, startColumn, endLine, endColumn, note }) => ({
          location: {
            physicalLocation: {
              artifactLocation: { uri: uriOf(path), uriBaseId: 'SRCROOT' },
              region: { startLine, startColumn, endLine, endColumn },
            },
            message: { text: note },
          },
        })),
      },
    ],
  };
}

function fixOf(path: string, fix: NonNullable<Finding['fix']>): NonNullable<Result['fixes']>[number] {
  return {
    description: { text: fix.description },
    artifactChanges: [
      {
        artifactLocation: { uri: uriOf(path), uriBaseId: 'SRCROOT' },
        replacements: fix.edits.map(({ start, end, text }) => ({
          deletedRegion: { byteOffset: start, byteLength: end - start },
          ...(text === '' ? {} : { insertedContent: { text } }),
        })),
      },
    ],
  };
}

/** A relative reference: every part is percent-encoded, so that blanks, "#" and ":" in names stay part of the name. */
function uriOf(path: string): string {
  return path
    .split('/')
    .map((part) => encodeURIComponent(part.toWellFormed()))
    .join('/');
}
