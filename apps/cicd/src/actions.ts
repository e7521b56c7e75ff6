import type { Action } from '@devmesh/agent-kit/action-context';
import { generate } from './generate/generate.action.js';

/** What this agent can do. */
export const actions: readonly Action[] = [generate];
