import { DEFAULT_RETRY, ENGINE_AGENT, type StepDefinition } from '@devmesh/contracts/workflow';

/** What a step has that says nothing about itself. */
export const PLAIN_STEP: Omit<StepDefinition, 'id'> = {
  kind: 'action',
  agent: ENGINE_AGENT,
  action: `${ENGINE_AGENT}/group`,
  with: {},
  needs: [],
  quorum: null,
  losers: 'keep',
  when: null,
  forEach: null,
  approval: null,
  guardedBy: null,
  undo: null,
  fallback: null,
  onLost: 'fail',
  priority: 0,
  within: null,
  always: false,
  gate: false,
  timeoutMs: 60_000,
  retry: DEFAULT_RETRY,
  on: { success: [], failure: [], approval: [], rejection: [] },
};
