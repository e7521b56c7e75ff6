import { AgentConfig } from '@devmesh/agent-kit/agent/agent.config';

/** Configuration of the infrastructure agent: what every agent has. */
export const InfrastructureConfig = AgentConfig;
export type InfrastructureConfig = AgentConfig;
