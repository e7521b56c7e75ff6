import { AgentConfig } from '@devmesh/agent-kit/agent/agent.config';

/** Configuration of the documentation agent: what every agent has. */
export const DocumentationConfig = AgentConfig;
export type DocumentationConfig = AgentConfig;
