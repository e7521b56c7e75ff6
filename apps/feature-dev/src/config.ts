import { AgentConfig } from '@devmesh/agent-kit/agent/agent.config';

/** Configuration of the feature-dev agent: what every agent has. */
export const FeatureDevConfig = AgentConfig;
export type FeatureDevConfig = AgentConfig;
