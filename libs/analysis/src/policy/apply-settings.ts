import { createHash } from 'node:crypto';
import { FINDING_CLASSES, type Finding } from '@devmesh/contracts/finding';
import type { PolicyProblem } from './located-yaml.js';
import type { ProjectSettings } from './project-settings.js';
import { suppressionsIn, type Suppression } from './suppressions.js';

/** A finding that is kept and not told, and why. */
export interface SuppressedFinding {
  readonly finding: Finding;
  readonly by: 'comment' | 'baseline' | 'silent-rule' | 'person';
  readonly reason: string;
}

export interface Applied {
  /** What is told, in the order of what was found; then what is wrong with comments that silence. */
  readonly findings: readonly Finding[];
  readonly suppressed: readonly SuppressedFinding[];
  /** Findings of rules that are off, or in paths that are left out. */
  readonly off: readonly Finding[];
  /** Comments of the change itself, which silence nothing yet. */
  readonly notYet: number;
  /** Entries of the baseline that match nothing any more. */
  readonly stale: number;
}

export interface ApplyOptions {
  readonly settings: ProjectSettings;
  /** The texts of the tree. */
  readonly read: (path: string) => string | undefined;
  /** Files whose comments are checked. */
  readonly paths: readonly string[];
  /** Ids of all rules. */
  readonly rules: ReadonlySet<string>;
  /** With a base: whether the change has written that line. */
  readonly isNew?: (path: string, line: number) => boolean;
  /** As `2027-01-31`, in UTC. */
  readonly today: string;
  /** Rules that people of this project reject. */
  readonly silent: ReadonlySet<string>;
  /** Findings that a person has called false, by fingerprint, with the reason. */
  readonly rejected: ReadonlyMap<string, string>;
}

/** Applies what a project says to what was found. A finding is never lost: it is told, suppressed or counted. */
export function applySettings(found: readonly Finding[], options: ApplyOptions): Applied {
  const { settings, read, isNew } = options;
  const { policy } = settings;
  const known = new Map<string, readonly Suppression[]>();
  const suppressionsOf = (path: string): readonly Suppression[] => {
    const before = known.get(path);
    if (before) return before;
    const here = suppressionsIn(path, read(path) ?? '');
    known.set(path, here);
    return here;
  };
  const entries = new Map(settings.baseline.map((entry) => [entry.fingerprint, entry]));
  const used = new Set<string>();
  const findings: Finding[] = [];
  const suppressed: SuppressedFinding[] = [];
  const off: Finding[] = [];
  let notYet = 0;
  const place = (raw: Finding): void => {
    if (entries.has(raw.fingerprint)) used.add(raw.fingerprint);
    const finding = policy.ignores(raw.location.path) ? undefined : policy.applied(raw);
    if (!finding) {
      off.push(raw);
      return;
    }
    const comment = suppressionsOf(finding.location.path).find((one) => isAbout(one, finding));
    const counts = comment !== undefined && problemOf(comment, options) === undefined;
    const isOwn = counts && !policy.acceptsNewSuppressions && isNew?.(comment.path, comment.line) === true;
    if (isOwn) notYet += 1;
    const rejection = options.rejected.get(finding.fingerprint);
    if (counts && !isOwn) suppressed.push({ finding, by: 'comment', reason: comment.reason });
    else if (rejection !== undefined) suppressed.push({ finding, by: 'person', reason: rejection });
    else if (used.has(finding.fingerprint))
      suppressed.push({ finding, by: 'baseline', reason: `in ${policy.baseline}` });
    else if (options.silent.has(finding.rule))
      suppressed.push({ finding, by: 'silent-rule', reason: 'people of this project reject what this rule finds' });
    else findings.push(finding);
  };
  found.forEach(place);
  for (const path of options.paths) {
    if (policy.ignores(path)) continue;
    for (const comment of suppressionsOf(path)) {
      if (isNew && !isNew(path, comment.line)) continue;
      const problem = problemOf(comment, options);
      const told = problem && policy.applied(commentFinding(comment, problem, read(path) ?? ''));
      if (told) findings.push(told);
    }
  }
  return { findings, suppressed, off, notYet, stale: entries.size - used.size };
}

function isAbout({ target, rules }: Suppression, { rule, class: kind, location }: Finding): boolean {
  return (rules.includes(rule) || rules.includes(kind)) && location.startLine <= target && target <= location.endLine;
}

interface CommentProblem {
  readonly rule: (typeof COMMENT_RULES)[number];
  readonly message: string;
}

/** What is told of comments that silence, or should. */
export const COMMENT_RULES = [
  'suppression-without-reason',
  'suppression-expired',
  'suppression-of-unknown-rule',
] as const;

const FORM = '`devmesh-ignore RULE: why (until 2027-01-31)`';

function problemOf(comment: Suppression, { rules, today }: ApplyOptions): CommentProblem | undefined {
  const [first] = comment.rules;
  if (first === undefined)
    return {
      rule: 'suppression-of-unknown-rule',
      message: `This comment names no rule and silences nothing. Write ${FORM}.`,
    };
  const unknown = comment.rules.find((rule) => !rules.has(rule) && !Object.hasOwn(FINDING_CLASSES, rule));
  if (unknown !== undefined)
    return {
      rule: 'suppression-of-unknown-rule',
      message: `There is no rule or class "${unknown.slice(0, 100)}", so this comment silences nothing. \`devmesh rules list\` shows them.`,
    };
  if (comment.reason === '')
    return {
      rule: 'suppression-without-reason',
      message: `This comment says no reason, so it silences nothing. Say why, as in ${FORM}.`,
    };
  const { until } = comment;
  if (until === undefined) return undefined;
  const at = Date.parse(`${until}T00:00:00Z`);
  if (!Number.isNaN(at) && new Date(at).toISOString().startsWith(until) && today <= until) return undefined;
  return {
    rule: 'suppression-expired',
    message: `This comment counted until ${until}, and silences nothing any more. Mend what it is about and remove it, or give it another day.`,
  };
}

function commentFinding(comment: Suppression, { rule, message }: CommentProblem, text: string): Finding {
  const { path, line, column, endColumn } = comment;
  return {
    rule,
    class: 'bug',
    severity: 'low',
    confidence: 'high',
    message,
    location: { path, startLine: line, startColumn: column, endLine: line, endColumn },
    snippet: (text.split('\n')[line - 1] ?? '').slice(column - 1, endColumn - 1).slice(0, 400),
    fingerprint: fingerprint(rule, path, comment.rules.join(), comment.reason, comment.until ?? ''),
  };
}

/** What is told of a broken file of `.devmesh/`. */
export const SETTINGS_RULE = 'review-settings-invalid';

/** A broken setting as a finding: whoever reads SARIF sees it where it stands. */
export function settingsFinding({ path, line, column, message }: PolicyProblem): Finding {
  return {
    rule: SETTINGS_RULE,
    class: 'bug',
    severity: 'high',
    confidence: 'high',
    message: `What this project says of its review can't be read, so it was reviewed without: ${message}`.slice(
      0,
      2000,
    ),
    location: { path, startLine: line, startColumn: column, endLine: line, endColumn: column },
    snippet: '',
    fingerprint: fingerprint(SETTINGS_RULE, path, message),
  };
}

function fingerprint(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex');
}
