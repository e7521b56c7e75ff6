import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FindingsDocument, type Finding } from '@devmesh/contracts/finding';

export interface Defect {
  readonly id: string;
  readonly path: string;
  readonly anchor: string;
  readonly class: string;
  readonly severity: string;
  readonly fix: boolean;
  readonly round: number | null;
}

export interface Expected {
  readonly defects: readonly Defect[];
  readonly twins: readonly { readonly of: string; readonly path: string; readonly anchor: string }[];
  readonly stack: readonly { readonly root: string; readonly services: readonly string[] }[];
  readonly files: Readonly<Record<'written' | 'changed' | 'kept', readonly string[]>>;
  readonly rounds: number;
}

/** The table of what must come out of the sample repository (`examples/README.md`). */
export function readExpected(clone: string): Expected {
  return JSON.parse(readFileSync(join(clone, 'examples/shop.expected.json'), 'utf8')) as Expected;
}

export function readFindings(file: string): Finding[] {
  return FindingsDocument.parse(JSON.parse(readFileSync(file, 'utf8'))).findings;
}

/** The 1-based line of a text that stands on exactly one line of a file. */
export function lineOf(tree: string, { path, anchor }: { path: string; anchor: string }): number {
  const lines = readFileSync(join(tree, path), 'utf8').split('\n');
  const found = lines.flatMap((line, index) => (line.includes(anchor) ? [index + 1] : []));
  if (found.length !== 1) throw new Error(`${path} has ${found.length} lines with ${anchor}`);
  return found[0] ?? 0;
}

/** The findings that lie on the line of a place. */
export function findingsAt(findings: readonly Finding[], path: string, line: number): Finding[] {
  return findings.filter(
    ({ location }) => location.path === path && location.startLine <= line && line <= location.endLine,
  );
}
