import { AgentConfig } from '@devmesh/agent-kit/agent/agent.config';
import { secretSetting, setting } from '@devmesh/service-kit/config/setting';
import { z } from 'zod';

/** What opens a forge: by the host of its remotes, with the port where there is one. */
const Forge = z.object({
  token: z.string().min(1).max(1000),
  /** Base of its REST API, as GitHub has it; without one it takes pushes and no pull requests. */
  api: z.url().optional(),
});
export type Forge = z.infer<typeof Forge>;

/** Configuration of the feature-dev agent: what every agent has, and what opens remotes. */
export const FeatureDevConfig = AgentConfig.extend({
  forges: secretSetting(
    'DEVMESH_FORGES',
    'a JSON object by host, e.g. {"github.com": {"token": "…", "api": "https://api.github.com"}}',
    z.record(z.string().max(300), Forge).default({}),
  ),
  pushProtocols: setting(
    'DEVMESH_PUSH_PROTOCOLS',
    'a JSON array of https, ssh, http and file, e.g. ["https", "ssh"]',
    z
      .array(z.enum(['https', 'ssh', 'http', 'file']))
      .min(1)
      .default(['https', 'ssh']),
  ),
});
export type FeatureDevConfig = z.output<typeof FeatureDevConfig>;
