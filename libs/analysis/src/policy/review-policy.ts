import { FINDING_CLASSES, SEVERITIES, type Finding, type Severity } from '@devmesh/contracts/finding';
import { z } from 'zod';
import type { RuleDefinition } from '../rules/rule.js';
import { matchesGlob } from './glob.js';
import { readLocated, type PolicyProblem } from './located-yaml.js';

/** Where a project keeps its policy. */
export const POLICY_FILE = '.devmesh/review.yaml';
export const BASELINE_FILE = '.devmesh/baseline.json';

const RULE_SETTINGS = ['off', 'on', ...SEVERITIES] as const;
const Setting = z.enum(RULE_SETTINGS, {
  error: `say one of ${RULE_SETTINGS.join(', ')}`,
});
type Setting = z.infer<typeof Setting>;
const Settings = z.record(z.string().max(100), Setting);
const Glob = z.string().min(1).max(200);

/** `.devmesh/review.yaml`. Rules are named by id, by class, or by a beginning and `*`. */
const PolicyFile = z.strictObject({
  version: z.literal(1, { error: 'this Devmesh reads version 1: write `version: 1`' }),
  /** Findings at this severity or worse reject; `never`: none does. */
  reject_at: z.enum([...SEVERITIES, 'never'], { error: `say one of ${SEVERITIES.join(', ')} or never` }).optional(),
  reject_on: z.enum(['all', 'fixable'], { error: 'say all or fixable' }).optional(),
  rules: Settings.default({}),
  ignore: z.array(Glob).max(500).default([]),
  /** For some paths; a later entry beats an earlier one, and all beat `rules`. */
  paths: z
    .array(z.strictObject({ path: z.union([Glob, z.array(Glob).min(1).max(100)]), rules: Settings }))
    .max(200)
    .default([]),
  baseline: z
    .string()
    .max(200)
    .regex(/^\.devmesh\/[\w.-]+\.json$/, 'a JSON file in .devmesh/, such as .devmesh/baseline.json')
    .default(BASELINE_FILE),
  /** Whether a comment that silences a finding counts in the very change that brings it. */
  new_suppressions: z.enum(['tell', 'accept'], { error: 'say tell or accept' }).default('tell'),
  /** A rule falls silent when people have judged so many of its findings, and fewer than that share was right. */
  precision: z
    .strictObject({
      judged: z.number().int().min(1).max(10_000).default(10),
      below: z.number().min(0).max(1).default(0.5),
    })
    .default({ judged: 10, below: 0.5 }),
});
type PolicyFile = z.infer<typeof PolicyFile>;

/** What a project asks of its review. */
export class ReviewPolicy {
  /** What counts where a project says nothing. */
  static readonly DEFAULT = new ReviewPolicy(PolicyFile.parse({ version: 1 }));

  readonly #file: PolicyFile;

  private constructor(file: PolicyFile) {
    this.#file = file;
  }

  /** Reads the text of the file; every rule that it names must be one of `rules`. */
  static read(
    text: string,
    rules: readonly RuleDefinition[],
  ): ReviewPolicy | { readonly problems: readonly PolicyProblem[] } {
    const read = readLocated(POLICY_FILE, text, PolicyFile);
    if ('problems' in read) return read;
    const named = [
      ...Object.keys(read.value.rules).map((name) => ['rules', name]),
      ...read.value.paths.flatMap((entry, i) => Object.keys(entry.rules).map((name) => ['paths', i, 'rules', name])),
    ];
    const problems = named.flatMap((at) => {
      const name = String(at.at(-1));
      if (isName(name, rules)) return [];
      const message = `\`${name}\` is no rule, class or beginning of one with a *: \`devmesh rules list\` shows them`;
      return [read.problemAt(at, message)];
    });
    return problems.length > 0 ? { problems } : new ReviewPolicy(read.value);
  }

  get rejectAt(): Severity | 'never' | undefined {
    return this.#file.reject_at;
  }

  get rejectOn(): 'all' | 'fixable' | undefined {
    return this.#file.reject_on;
  }

  get baseline(): string {
    return this.#file.baseline;
  }

  get acceptsNewSuppressions(): boolean {
    return this.#file.new_suppressions === 'accept';
  }

  get precision(): { readonly judged: number; readonly below: number } {
    return this.#file.precision;
  }

  ignores(path: string): boolean {
    return this.#file.ignore.some((glob) => matchesGlob(path, glob));
  }

  /** The finding with the severity that the policy gives it; undefined where its rule is off. */
  applied(finding: Finding): Finding | undefined {
    const setting = this.#settingOf(finding);
    if (setting === 'off') return undefined;
    return setting === undefined || setting === 'on' ? finding : { ...finding, severity: setting };
  }

  #settingOf(finding: Finding): Setting | undefined {
    const { path } = finding.location;
    let found = settingIn(this.#file.rules, finding);
    for (const entry of this.#file.paths) {
      const isMeant = [entry.path].flat().some((glob) => matchesGlob(path, glob));
      if (isMeant) found = settingIn(entry.rules, finding) ?? found;
    }
    return found;
  }
}

/** The id beats the class, and that a beginning; of beginnings the longest. */
function settingIn(settings: Readonly<Record<string, Setting>>, { rule, class: kind }: Finding): Setting | undefined {
  const own = (name: string): Setting | undefined => (Object.hasOwn(settings, name) ? settings[name] : undefined);
  const [longest] = Object.keys(settings)
    .filter((name) => name.endsWith('*') && rule.startsWith(name.slice(0, -1)))
    .sort((a, b) => b.length - a.length);
  return own(rule) ?? own(kind) ?? (longest === undefined ? undefined : settings[longest]);
}

/** Rules that are told beside those that have a definition. */
export const OTHER_RULES = ['recognised-credential'] as const;

function isName(name: string, rules: readonly RuleDefinition[]): boolean {
  const ids = [...rules.map(({ id }) => id), ...OTHER_RULES];
  if (name.endsWith('*')) return ids.some((id) => id.startsWith(name.slice(0, -1)));
  return Object.hasOwn(FINDING_CLASSES, name) || ids.includes(name);
}
