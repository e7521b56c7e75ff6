import type { Action } from '@devmesh/agent-kit/action-context';
import { reviewAction, type RecordFindings } from './review/review.action.js';

/** What this agent needs from its process. */
export interface ActionPorts {
  readonly recordFindings: RecordFindings;
}

/** Every action of this agent. */
export function createActions({ recordFindings }: ActionPorts): readonly Action[] {
  return [reviewAction(recordFindings)];
}
