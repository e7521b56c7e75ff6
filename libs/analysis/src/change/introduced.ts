import type { Finding } from '@devmesh/contracts/finding';
import { Positions } from '../parse/positions.js';
import { LineMap, type FileChange } from './line-map.js';

/** One side of a comparison: what was found, and the texts that it was found in. */
export interface Side {
  readonly findings: readonly Finding[];
  read(path: string): string | undefined;
}

export interface Comparison {
  /** What the change brings in. */
  readonly introduced: readonly Finding[];
  /** What stands in what was looked at, and stood there before. */
  readonly existing: readonly Finding[];
  /** What stood in the changed files of the base, and no longer does. */
  readonly fixed: readonly Finding[];
}

/** Most lines of a finding that are compared. */
const MAX_LINES = 20;

/**
 * Tells what a change introduces from what was there: a finding on a line that was there (moved or indented anew), or with the
 * same text elsewhere in the changed files, is the same one. In a file that the change leaves alone a finding is new only when
 * the way of its data passes through changed lines.
 */
export function compareFindings(head: Side, base: Side, files: readonly FileChange[]): Comparison {
  const changes = new Map(files.flatMap((file) => (file.path === null ? [] : [[file.path, file] as const])));
  const maps = new Map([...changes].map(([path, file]) => [path, new LineMap(file)] as const));
  const texts = new Texts();
  const left = new Set(base.findings);
  const open = new Set(head.findings);
  const pair = (keyOf: (finding: Finding, side: 'head' | 'base') => string | undefined): void => {
    const byKey = new Map<string, Finding[]>();
    for (const finding of left) {
      const key = keyOf(finding, 'base');
      if (key === undefined) continue;
      const known = byKey.get(key);
      if (known) known.push(finding);
      else byKey.set(key, [finding]);
    }
    for (const finding of open) {
      const key = keyOf(finding, 'head');
      const match = key === undefined ? undefined : byKey.get(key)?.shift();
      if (!match) continue;
      left.delete(match);
      open.delete(finding);
    }
  };
  const basePathOf = (path: string): string | null => {
    const change = changes.get(path);
    return change ? change.basePath : path;
  };
  const textKey = (finding: Finding, side: 'head' | 'base'): string =>
    `${finding.rule}\0${texts.of(finding, side === 'head' ? head : base)}`;
  pair((finding, side) => {
    const { path, startLine } = finding.location;
    if (side === 'base') return `${finding.rule}\0${path}\0${startLine}`;
    const line = maps.has(path) ? maps.get(path)?.toBase(startLine) : startLine;
    return line === undefined ? undefined : `${finding.rule}\0${basePathOf(path) ?? ''}\0${line}`;
  });
  pair(
    (finding, side) =>
      `${textKey(finding, side)}\0${side === 'base' ? finding.location.path : (basePathOf(finding.location.path) ?? '')}`,
  );
  const touched = new Set(files.flatMap(({ basePath }) => (basePath === null ? [] : [basePath])));
  pair((finding, side) => {
    const isTouched = side === 'base' ? touched.has(finding.location.path) : changes.has(finding.location.path);
    return isTouched ? textKey(finding, side) : undefined;
  });
  const passesChange = ({ trace = [] }: Finding): boolean =>
    trace.some(({ path, startLine, endLine }) => maps.get(path)?.touches(startLine, endLine) === true);
  const introduced = [...open].filter((finding) => changes.has(finding.location.path) || passesChange(finding));
  const isIntroduced = new Set(introduced);
  return {
    introduced,
    existing: head.findings.filter((finding) => !isIntroduced.has(finding)),
    fixed: [...left].filter(({ location }) => touched.has(location.path)),
  };
}

/** The lines of findings without their blanks. Values that a snippet masks are compared here, and shown nowhere. */
class Texts {
  readonly #known = new Map<Side, Map<string, Positions>>();

  of({ location, snippet }: Finding, side: Side): string {
    const { path, startLine, endLine } = location;
    const files = this.#known.get(side) ?? new Map<string, Positions>();
    this.#known.set(side, files);
    let positions = files.get(path);
    if (!positions) {
      const text = side.read(path);
      if (text === undefined) return snippet;
      positions = new Positions(text);
      files.set(path, positions);
    }
    const lines: string[] = [];
    for (let line = startLine; line <= Math.min(endLine, startLine + MAX_LINES); line += 1)
      lines.push(positions.line(line));
    return lines.join('').replace(/\s+/g, '');
  }
}
