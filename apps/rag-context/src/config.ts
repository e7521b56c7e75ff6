import { AgentConfig } from '@devmesh/agent-kit/agent/agent.config';

/** Configuration of the rag-context agent: what every agent has. */
export const RagContextConfig = AgentConfig;
export type RagContextConfig = AgentConfig;
