import { createHash } from 'node:crypto';
import { SEVERITIES, type Finding } from '@devmesh/contracts/finding';
import { Positions } from '../parse/positions.js';
import type { Hit, TracePoint } from './hit.js';
import { withFixes } from './with-fixes.js';

const SNIPPET_LINES = 4;
const SNIPPET_LENGTH = 400;
/** Characters between what belongs together. */
const NEAR = 800;

/** Overlapping hits of different rules in one class are one defect: the surer, then the smaller one stays. */
export function withoutRepeats(hits: readonly Hit[]): Hit[] {
  const order = ['high', 'medium', 'low'];
  const rank = (hit: Hit) => [
    // What can be mended by machine is worth more than a better place.
    hit.fix ? 0 : 1,
    SEVERITIES.indexOf(hit.severity),
    order.indexOf(hit.confidence),
    hit.end - hit.start,
    hit.start,
  ];
  const best = [...hits].sort((a, b) => compare(rank(a), rank(b)) || (a.rule < b.rule ? -1 : 1));
  const kept: Hit[] = [];
  for (const hit of best) {
    const isRepeat = kept.some(
      (other) =>
        other.class === hit.class &&
        (other.rule !== hit.rule || hit.class === 'path-traversal' || hit.class === 'hardcoded-secret') &&
        other.start < hit.end &&
        hit.start < other.end,
    );
    if (!isRepeat) kept.push(hit);
  }
  // A rule that only says "look here" is silent where a surer one of its class has spoken.
  const sure = kept.filter(({ confidence }) => confidence !== 'low');
  const near = (a: Hit, b: Hit): boolean => a.class === b.class && Math.abs(a.start - b.start) < NEAR;
  const said = kept.filter((hit) => hit.confidence !== 'low' || !sure.some((other) => near(hit, other)));
  // Data that flows through a place that another rule names is the same defect, told once, where the text is made.
  return said.filter(
    (hit) =>
      !hit.trace?.some((point) =>
        kept.some(
          (other) =>
            other !== hit &&
            !other.trace &&
            other.class === hit.class &&
            other.start < point.end &&
            point.start < other.end,
        ),
      ),
  );
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) {
    const difference = value - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The text with the values of credentials replaced by stars of the same length, so that offsets stay true. */
function masked(text: string, hits: readonly Hit[]): string {
  let result = text;
  for (const hit of hits) {
    if (hit.class !== 'hardcoded-secret' && !(hit.class === 'gha-secrets' && hit.isValue === true)) continue;
    const from = hit.isValue === true ? hit.start : hit.start + valueStart(text.slice(hit.start, hit.end));
    const hidden = text.slice(from, hit.end).replace(/[^\r\n]/g, '*');
    result = result.slice(0, from) + hidden + result.slice(hit.end);
  }
  return result;
}

/** Where the value begins in `password = "…"` or `PASSWORD=…`; 0 in what has no such form: then it is the value itself. */
function valueStart(span: string): number {
  const named = /^[^"'`=:]*["']?[\w.\]]+["']?\s*(?::\s*[\w.|[\] ]+)?\s*(?:=|:)\s*/.exec(span);
  return named?.[0].length ?? 0;
}

/** Writes hits of one file down as findings: sorted, masked, with fingerprints that survive line moves. */
export function writeFindings(
  path: string,
  text: string,
  hits: readonly Hit[],
  fixable: boolean,
  texts: { get(path: string): string | undefined } = new Map(),
): Finding[] {
  const kept = withoutRepeats(fixable ? withFixes(path, text, hits) : hits);
  if (kept.length === 0) return [];
  const positions = new Positions(text);
  const shown = new Positions(masked(text, hits));
  const sorted = kept.sort((a, b) => a.start - b.start || b.end - a.end || (a.rule < b.rule ? -1 : 1));
  const ordinals = new Map<string, number>();
  const others = new Map<string, Positions | undefined>([[path, positions]]);
  const stationOf = (point: TracePoint): NonNullable<Finding['trace']> => {
    if (!others.has(point.path)) {
      const other = texts.get(point.path);
      others.set(point.path, other === undefined ? undefined : new Positions(other));
    }
    const positionsThere = others.get(point.path);
    if (!positionsThere) return [];
    const [from, to] = [positionsThere.at(point.start), positionsThere.at(point.end)];
    return [
      {
        path: point.path,
        startLine: from.line,
        startColumn: from.column,
        endLine: to.line,
        endColumn: to.column,
        note: point.note.slice(0, 200),
      },
    ];
  };
  return sorted.map((hit) => {
    const from = positions.at(hit.start);
    const to = positions.at(hit.end);
    const normalised = shown.text
      .slice(hit.start, hit.end)
      .replace(/\s+/g, ' ')
      .replace(/\*{3,}/g, '***');
    const identity = [hit.rule, path, normalised].join('\0');
    const ordinal = ordinals.get(identity) ?? 0;
    ordinals.set(identity, ordinal + 1);
    const finding: Finding = {
      rule: hit.rule,
      class: hit.class,
      ...(hit.cwe === undefined ? {} : { cwe: hit.cwe }),
      severity: hit.severity,
      confidence: hit.confidence,
      message: hit.message,
      location: { path, startLine: from.line, startColumn: from.column, endLine: to.line, endColumn: to.column },
      snippet: snippetOf(shown, from.line, to.line),
      fingerprint: createHash('sha256').update(`${identity}\0${ordinal}`).digest('hex'),
      ...(hit.trace ? { trace: hit.trace.flatMap((point) => stationOf(point)) } : {}),
    };
    if (!hit.fix || !fixable) return finding;
    const edits = hit.fix.edits.map((edit) => ({
      start: positions.byte(edit.start),
      end: positions.byte(edit.end),
      text: edit.text,
    }));
    return { ...finding, fix: { description: hit.fix.description, edits } };
  });
}

function snippetOf(shown: Positions, first: number, last: number): string {
  const lines: string[] = [];
  for (let line = first; line <= Math.min(last, first + SNIPPET_LINES - 1); line += 1) lines.push(shown.line(line));
  return lines
    .join('\n')
    .replace(/\*{6,}/g, '*****')
    .slice(0, SNIPPET_LENGTH)
    .trim();
}
