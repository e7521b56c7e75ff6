import type { Action } from '@devmesh/agent-kit/action-context';
import { applyFixesAction } from './apply-fixes/apply-fixes.action.js';
import type { FeatureDevConfig } from './config.js';
import { Remotes } from './forge/remotes.js';
import { implementAction } from './implement/implement.action.js';
import { integrateAction } from './integrate/integrate.action.js';
import { pullRequestAction } from './pull-request/pull-request.action.js';
import { pushAction } from './push/push.action.js';

/** Every action of this agent. */
export function createActions({
  forges,
  pushProtocols,
}: Pick<FeatureDevConfig, 'forges' | 'pushProtocols'>): readonly Action[] {
  const remotes = new Remotes(forges, pushProtocols);
  return [applyFixesAction, integrateAction, implementAction, pushAction(remotes), pullRequestAction(remotes)];
}
