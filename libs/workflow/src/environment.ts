import type { AgentName, InstanceId, UnixMs } from '@devmesh/contracts/ids';

/** What a decision may depend on beside the state. */
export interface Environment {
  readonly now: UnixMs;
  /** Instances of the agent that may be given work, best first; empty when none is up. */
  instances(agent: AgentName): readonly InstanceId[];
  /** Approvals whose verdict is among what is still to be taken in. */
  readonly coming?: readonly string[];
}
