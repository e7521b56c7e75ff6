import type { Verdict } from '@devmesh/contracts/action';
import type { Finding, Severity } from '@devmesh/contracts/finding';
import type { FindingHistory, RulePrecision } from '@devmesh/contracts/finding-fate';
import { LineMap } from '../change/line-map.js';
import { reviewChange, type TreeChange } from '../change/review-change.js';
import { byPlace, reviewTree, type Review, type ReviewOptions } from '../findings/review-tree.js';
import { MAX_FILE_BYTES } from '../findings/read-text.js';
import { TreeSources } from '../findings/tree-sources.js';
import { openFile, walk, type TreeFile } from '../findings/walk.js';
import { applySettings, COMMENT_RULES, settingsFinding, type SuppressedFinding } from '../policy/apply-settings.js';
import { problemText, type PolicyProblem } from '../policy/located-yaml.js';
import { projectSettings, type ProjectSettings } from '../policy/project-settings.js';
import { OTHER_RULES } from '../policy/review-policy.js';
import { MARK } from '../policy/suppressions.js';
import { settingsFiles } from '../policy/settings-files.js';
import { oncePerDefect } from '../report/ranking.js';
import { objections, summaryOf, type Threshold } from '../report/verdict.js';
import { RULES } from '../rules/catalogue.js';
import type { RuleDefinition } from '../rules/rule.js';

export interface ProjectReviewOptions {
  /** Only what this changes is told. The settings are those of its base. */
  readonly change?: TreeChange;
  /** Asked for in so many words: beats the policy. */
  readonly rejectAt?: Severity | undefined;
  readonly rejectOn?: 'all' | 'fixable' | undefined;
  /** Unix ms: comments that silence may end. */
  readonly nowMs: number;
  /** What people of this project have said of what was found. */
  readonly history?: FindingHistory;
  /** Fingerprints of findings whose fix was tried and dropped: they are told without it. */
  readonly droppedFixes?: ReadonlySet<string>;
  readonly signal?: AbortSignal;
  readonly progress?: (message: string) => void;
  readonly pool?: ReviewOptions['pool'];
  readonly cacheFolder?: string;
}

export interface ProjectReview {
  readonly verdict: Verdict;
  readonly summary: string;
  /** What is told: by path, place and rule. */
  readonly findings: readonly Finding[];
  readonly suppressed: readonly SuppressedFinding[];
  readonly existing: readonly Finding[];
  readonly fixed: readonly Finding[];
  /** Findings of rules that are off, or in paths left out. */
  readonly off: readonly Finding[];
  /** Files that were not reviewed to their end. */
  readonly incomplete: readonly string[];
  /** Entries of the baseline that match nothing any more; 0 with a change, which does not look at everything. */
  readonly staleBaseline: number;
  /** What is broken in the project's settings. */
  readonly problems: readonly PolicyProblem[];
  readonly silentRules: readonly string[];
  readonly rules: readonly RuleDefinition[];
  /** Where the baseline lies, or would. */
  readonly baselineFile: string;
  readonly filesReviewed: number;
  readonly filesSkipped: number;
}

/** Of some files those that hold a comment that silences, by their bytes. One that can't be read holds none. */
async function withComments(files: readonly TreeFile[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of files) {
    try {
      const handle = await openFile(file);
      try {
        const isRead = (await handle.stat()).size <= MAX_FILE_BYTES;
        if (isRead && (await handle.readFile()).includes(MARK)) found.push(file.path);
      } finally {
        await handle.close();
      }
    } catch {
      // It has gone, or has become a link.
    }
  }
  return found;
}

/** Rules of which people have judged enough findings, and called too many false. */
function silentRules(history: FindingHistory | undefined, { policy }: ProjectSettings): Set<string> {
  const { judged, below } = policy.precision;
  const isSilent = (one: RulePrecision): boolean =>
    one.rejected > 0 && one.judged >= judged && one.precision !== null && one.precision < below;
  return new Set(history?.precision.filter(isSilent).map(({ rule }) => rule));
}

interface Found {
  readonly incomplete: readonly string[];
  readonly findings: readonly Finding[];
  readonly existing: readonly Finding[];
  readonly fixed: readonly Finding[];
  readonly filesReviewed: number;
  readonly filesSkipped: number;
}

/**
 * Reviews a project as it wants to be: with its policy, its baseline and its comments, or what one change brings in. Broken settings reject, and
 * count as none. Runs nothing of the project.
 */
export async function reviewProject(root: string, options: ProjectReviewOptions): Promise<ProjectReview> {
  const { change } = options;
  const { settings, problems } = settingsOf(root, change);
  const rules = [...RULES, ...settings.rules];
  const found = await find(root, options, settings);
  const files = new Map<string, TreeFile>();
  for await (const entry of walk(root)) if ('file' in entry) files.set(entry.file.path, entry.file);
  const sources = new TreeSources([...files.values()]);
  const maps = new Map(
    (change?.files ?? []).flatMap((file) => (file.path === null ? [] : [[file.path, new LineMap(file)] as const])),
  );
  const applied = applySettings(found.findings, {
    settings,
    read: (path) => sources.read(path),
    paths: await withComments(change ? [...maps.keys()].flatMap((path) => files.get(path) ?? []) : [...files.values()]),
    rules: new Set([...rules.map(({ id }) => id), ...OTHER_RULES, ...COMMENT_RULES]),
    ...(change ? { isNew: (path: string, line: number) => maps.get(path)?.touches(line, line) === true } : {}),
    today: new Date(options.nowMs).toISOString().slice(0, 10),
    silent: silentRules(options.history, settings),
    rejected: new Map(options.history?.rejected.map(({ fingerprint, reason }) => [fingerprint, reason])),
  });
  const threshold: Threshold = {
    rejectAt: options.rejectAt ?? settings.policy.rejectAt ?? 'high',
    rejectOn: options.rejectOn ?? settings.policy.rejectOn ?? 'all',
  };
  const isDropped = ({ fix, fingerprint }: Finding): boolean =>
    fix !== undefined && options.droppedFixes?.has(fingerprint) === true;
  const findings = [...applied.findings, ...problems.map(settingsFinding)]
    .map((finding) => (isDropped(finding) ? withoutFix(finding) : finding))
    .sort(byPlace);
  // A step that asks only for what can be mended by machine is not held up by what cannot.
  const isBroken = problems.length > 0 && options.rejectOn !== 'fixable';
  const counts = {
    ...applied,
    droppedFixes: applied.findings.filter(isDropped).length,
    staleBaseline: change ? 0 : applied.stale,
    silentRules: [
      ...new Set(applied.suppressed.filter(({ by }) => by === 'silent-rule').map(({ finding }) => finding.rule)),
    ],
  };
  return {
    verdict: isBroken || objections(findings, threshold).length > 0 ? 'rejected' : 'approved',
    summary: [...brokenText(problems), summaryOf(findings, threshold), ...restText(counts)].join('; ').slice(0, 500),
    findings,
    suppressed: applied.suppressed,
    existing: found.existing,
    fixed: found.fixed,
    off: applied.off,
    incomplete: found.incomplete,
    staleBaseline: counts.staleBaseline,
    problems,
    silentRules: counts.silentRules,
    rules,
    baselineFile: settings.policy.baseline,
    filesReviewed: found.filesReviewed,
    filesSkipped: found.filesSkipped,
  };
}

/**
 * The settings that count, and what is broken. A change is held to the settings of its base; those that it brings must be whole,
 * and may mend broken ones.
 */
function settingsOf(
  root: string,
  change: TreeChange | undefined,
): { settings: ProjectSettings; problems: readonly PolicyProblem[] } {
  const settings = projectSettings(settingsFiles(root, change), RULES);
  const isTouched = change?.files.some(({ path, basePath }) => (path ?? basePath)?.startsWith('.devmesh/') === true);
  if (isTouched !== true) return { settings, problems: settings.problems };
  return { settings, problems: projectSettings(settingsFiles(root), RULES).problems };
}

async function find(
  root: string,
  { change, signal, progress, pool, cacheFolder }: ProjectReviewOptions,
  { rules: own, models }: ProjectSettings,
): Promise<Found> {
  const watched = { ...(signal ? { signal } : {}), ...(progress ? { progress } : {}) };
  const all = {
    ...watched,
    ...(own.length > 0 || models ? { rules: [...RULES, ...own] } : {}),
    ...(models ? { models } : {}),
  };
  if (change) {
    const { introduced, ...rest } = await reviewChange(root, change, all);
    return { ...rest, findings: introduced, incomplete: [] };
  }
  // Other processes and kept results know the shipped rules and models alone: a project's own rules are run beside them.
  const whole = (review: Review): Found => ({
    ...review,
    existing: [],
    fixed: [],
    incomplete: review.incomplete.map(({ path }) => path),
  });
  if (models) return whole(await reviewTree(root, all));
  const means = { ...watched, ...(pool ? { pool } : {}), ...(cacheFolder === undefined ? {} : { cacheFolder }) };
  const shipped = await reviewTree(root, means);
  if (own.length === 0) return whole(shipped);
  const ids = new Set(own.map(({ id }) => id));
  const more = (await reviewTree(root, { ...watched, rules: own })).findings.filter(({ rule }) => ids.has(rule));
  return { ...whole(shipped), findings: oncePerDefect([...shipped.findings, ...more]) };
}

function withoutFix(finding: Finding): Finding {
  const { fix: _dropped, ...rest } = finding;
  return rest;
}

function brokenText([first, ...more]: readonly PolicyProblem[]): string[] {
  if (!first) return [];
  const others = more.length > 0 ? ` (and ${more.length} more)` : '';
  return [`broken settings: ${problemText(first)}${others}`];
}

function restText(counts: {
  readonly suppressed: readonly SuppressedFinding[];
  readonly off: readonly Finding[];
  readonly notYet: number;
  readonly droppedFixes: number;
  readonly staleBaseline: number;
  readonly silentRules: readonly string[];
}): string[] {
  const by = (kind: SuppressedFinding['by']): number => counts.suppressed.filter((one) => one.by === kind).length;
  const said: readonly (readonly [number, string])[] = [
    [by('comment'), 'suppressed by comments'],
    [counts.notYet, 'with a comment of this change, which counts once it is in the base'],
    [by('baseline'), 'in the baseline'],
    [counts.staleBaseline, 'entries of the baseline match nothing any more'],
    [by('silent-rule'), `of silent rules (${counts.silentRules.join(', ')})`],
    [by('person'), 'rejected by a person'],
    [counts.off.length, 'of rules or paths that are off'],
    [counts.droppedFixes, 'with a fix that was tried and dropped'],
  ];
  return said.flatMap(([count, text]) => (count > 0 ? [`${count} ${text}`] : []));
}
