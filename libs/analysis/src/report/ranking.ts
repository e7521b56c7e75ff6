import { SEVERITIES, type Finding } from '@devmesh/contracts/finding';
import { byPlace } from '../findings/review-tree.js';

/** Worst first: severity, then confidence, then what has a way of data to show, then place. */
export function ranked(findings: readonly Finding[]): Finding[] {
  const sure = ['high', 'medium', 'low'];
  const rank = (one: Finding): number =>
    SEVERITIES.indexOf(one.severity) * 10 + sure.indexOf(one.confidence) * 2 + (one.trace ? 0 : 1);
  return [...findings].sort((a, b) => rank(a) - rank(b) || byPlace(a, b));
}
