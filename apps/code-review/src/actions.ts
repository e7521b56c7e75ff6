import type { Action } from '@devmesh/agent-kit/action-context';
import { reviewAction, type ReviewPorts } from './review/review.action.js';

/** Every action of this agent. */
export function createActions(ports: ReviewPorts): readonly Action[] {
  return [reviewAction(ports)];
}
