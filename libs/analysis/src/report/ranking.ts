import { SEVERITIES, type Finding } from '@devmesh/contracts/finding';
import { byPlace } from '../findings/review-tree.js';

/** Worst first: severity, then confidence, then what has a way of data to show, then place. */
export function ranked(findings: readonly Finding[]): Finding[] {
  const sure = ['high', 'medium', 'low'];
  const rank = (one: Finding): number =>
    SEVERITIES.indexOf(one.severity) * 10 + sure.indexOf(one.confidence) * 2 + (one.trace ? 0 : 1);
  return [...findings].sort((a, b) => rank(a) - rank(b) || byPlace(a, b));
}

/** One defect, one finding: of two that overlap in a file and are of one class and of different rules, the better ranked stays. */
export function oncePerDefect(findings: readonly Finding[]): Finding[] {
  const kept = new Map<string, Finding[]>();
  for (const finding of ranked(findings)) {
    const key = `${finding.class}\0${finding.location.path}`;
    const others = kept.get(key) ?? [];
    kept.set(key, others);
    if (!others.some((other) => other.rule !== finding.rule && overlap(other, finding))) others.push(finding);
  }
  return [...kept.values()].flat().sort(byPlace);
}

function overlap({ location: a }: Finding, { location: b }: Finding): boolean {
  const isBefore = (x: Finding['location'], y: Finding['location']): boolean =>
    x.endLine < y.startLine || (x.endLine === y.startLine && x.endColumn <= y.startColumn);
  return !isBefore(a, b) && !isBefore(b, a);
}
