import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { detectStack } from '../stack/detect-stack.js';
import { tempTree } from '../testing/temp-tree.js';
import { SourceTree } from '../tree/source-tree.js';
import { DRIFT_RULES, type DriftRule } from './drift.js';
import { findDrift } from './find-drift.js';

/** A small tree with documents: one statement of `rule` does not hold, or all do. */
export interface DocumentCase {
  readonly name: string;
  /** Undefined when everything holds. */
  readonly rule: DriftRule | undefined;
  readonly files: Readonly<Record<string, string>>;
}

/** What a case was judged as. */
export interface Judged {
  readonly case: DocumentCase;
  readonly found: readonly { readonly rule: string; readonly message: string }[];
  /** The planted statement was found. */
  readonly hit: boolean;
  /** Findings beside it. */
  readonly falseAlarms: number;
}

/**
 * Reads `*.cases`: `=== drift RULE: title` or `=== holds: title`, then files, each below `--- path`. Throws with file and line on
 * anything else.
 */
export function readDocumentCases(folder: string): DocumentCase[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.cases'))
    .sort()
    .flatMap((name) => parseCases(name, readFileSync(join(folder, name), 'utf8')));
}

function parseCases(file: string, text: string): DocumentCase[] {
  const cases: { name: string; rule: DriftRule | undefined; files: Record<string, string> }[] = [];
  let path: string | undefined;
  for (const [index, line] of text.replace(/\n$/, '').split('\n').entries()) {
    const header = /^=== (?:drift (\S+)|holds): (.+)$/.exec(line);
    const last = cases.at(-1);
    if (header) {
      const rule = header[1];
      if (rule !== undefined && !isRule(rule)) throw new Error(`${file}:${index + 1}: there is no rule ${rule}`);
      cases.push({ name: `${file}: ${header[2] ?? ''}`, rule, files: {} });
      path = undefined;
    } else if (line.startsWith('--- ') && last) {
      path = line.slice(4);
      last.files[path] = '';
    } else if (last && path !== undefined) last.files[path] += `${line}\n`;
    else throw new Error(`${file}:${index + 1}: write "=== drift RULE: title" or "=== holds: title", then "--- path"`);
  }
  return cases;
}

function isRule(name: string): name is DriftRule {
  return name in DRIFT_RULES;
}

/** Runs the check on every case. */
export async function judgeCases(cases: readonly DocumentCase[]): Promise<Judged[]> {
  const judged: Judged[] = [];
  for (const one of cases) {
    const folder = tempTree(one.files);
    try {
      const tree = await SourceTree.open(folder.path);
      const { findings } = await findDrift(tree, await detectStack(tree));
      const hit = findings.some(({ rule }) => rule === one.rule);
      judged.push({ case: one, found: findings, hit, falseAlarms: findings.length - (hit ? 1 : 0) });
    } finally {
      folder.remove();
    }
  }
  return judged;
}

/** Recall, and the share of cases with a finding that should not be there. */
export function scoreOf(judged: readonly Judged[]): {
  planted: number;
  found: number;
  cases: number;
  falseAlarms: number;
} {
  const planted = judged.filter((one) => one.case.rule !== undefined);
  return {
    planted: planted.length,
    found: planted.filter(({ hit }) => hit).length,
    cases: judged.length,
    falseAlarms: judged.filter(({ falseAlarms }) => falseAlarms > 0).length,
  };
}
