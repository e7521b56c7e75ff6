import type { StateClient } from '@devmesh/service-client/state.client';

/** What the life of an execution needs of state-persistence. */
export type StatePort = Pick<StateClient, 'claim' | 'claimResult' | 'heartbeats' | 'postInbox'>;
