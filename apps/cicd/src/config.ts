import { AgentConfig } from '@devmesh/agent-kit/agent/agent.config';

/** Configuration of the cicd agent: what every agent has. */
export const CicdConfig = AgentConfig;
export type CicdConfig = AgentConfig;
