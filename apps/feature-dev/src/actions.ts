import type { Action } from '@devmesh/agent-kit/action-context';
import { applyFixesAction } from './apply-fixes/apply-fixes.action.js';
import { implementAction } from './implement/implement.action.js';
import { integrateAction } from './integrate/integrate.action.js';

/** Every action of this agent. */
export const actions: readonly Action[] = [applyFixesAction, integrateAction, implementAction];
