import type { Action } from '@devmesh/agent-kit/action-context';
import { reviewAction, type RecordFindings, type ReviewMeans } from './review/review.action.js';

/** What this agent needs from its process. */
export interface ActionPorts {
  readonly recordFindings: RecordFindings;
  /** Where files are reviewed, and where results are kept; by default in this process, and nowhere. */
  readonly means?: ReviewMeans;
}

/** Every action of this agent. */
export function createActions({ recordFindings, means }: ActionPorts): readonly Action[] {
  return [reviewAction(recordFindings, means)];
}
