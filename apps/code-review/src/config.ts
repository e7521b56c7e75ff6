import { AgentConfig } from '@devmesh/agent-kit/agent/agent.config';

/** Configuration of the code-review agent: what every agent has. */
export const CodeReviewConfig = AgentConfig;
export type CodeReviewConfig = AgentConfig;
