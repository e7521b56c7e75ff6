import type { Action } from '@devmesh/agent-kit/action-context';
import { check } from './drift/check.action.js';
import { report } from './report/report.action.js';
import { generate } from './sections/generate.action.js';

/** What this agent can do. */
export const actions: readonly Action[] = [generate, check, report];
