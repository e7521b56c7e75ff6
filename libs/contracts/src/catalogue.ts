import type { ActionContract } from './action.js';
import { cicdGenerate } from './actions/cicd.js';
import { codeReviewReview } from './actions/code-review.js';
import { documentationCheck, documentationGenerate, documentationReport } from './actions/documentation.js';
import {
  featureDevApplyFixes,
  featureDevImplement,
  featureDevIntegrate,
  featureDevPullRequest,
  featureDevPush,
} from './actions/feature-dev.js';
import { infrastructureGenerate } from './actions/infrastructure.js';
import { ragContextIndex, ragContextSearch } from './actions/rag-context.js';
import type { ActionId, AgentName } from './ids.js';

/** Every action that a workflow may name, by id, whether or not an instance of its agent is up. */
export type ActionCatalogue = ReadonlyMap<ActionId, ActionContract>;

const SHIPPED: readonly ActionContract[] = [
  codeReviewReview,
  featureDevApplyFixes,
  featureDevIntegrate,
  featureDevImplement,
  featureDevPush,
  featureDevPullRequest,
  infrastructureGenerate,
  cicdGenerate,
  documentationGenerate,
  documentationCheck,
  documentationReport,
  ragContextIndex,
  ragContextSearch,
];

/** A catalogue of these actions; an id that is declared twice is a programming error and throws. */
export function catalogueOf(actions: readonly ActionContract[]): ActionCatalogue {
  const catalogue = new Map<ActionId, ActionContract>();
  for (const action of actions) {
    if (catalogue.has(action.id)) throw new Error(`action ${action.id} is declared twice`);
    catalogue.set(action.id, action);
  }
  return catalogue;
}

/** The actions of the shipped agents. */
export const ACTION_CATALOGUE: ActionCatalogue = catalogueOf(SHIPPED);

/** The default action of an agent, or undefined when the agent is unknown or has none. */
export function defaultAction(catalogue: ActionCatalogue, agent: AgentName): ActionContract | undefined {
  for (const action of catalogue.values()) if (action.isDefault && action.id.startsWith(`${agent}/`)) return action;
  return undefined;
}
