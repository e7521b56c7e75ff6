import type { AgentName } from '@devmesh/contracts/ids';

/**
 * What happens otherwise than in a calm run, before decision `at` of the scheduler. A run is told by its scenario and these alone, so
 * that it can be replayed, and shortened. One that does not apply where it stands (no such call, no such run) changes nothing.
 * `call` counts the calls in flight, `of` the orchestrators, `run` the runs; times in ms.
 */
export type Disturbance = { readonly at: number } & (
  | { readonly kind: 'reorder'; readonly pick: number }
  | { readonly kind: 'wait' }
  | { readonly kind: 'crash'; readonly of: number }
  | { readonly kind: 'freeze'; readonly of: number; readonly ms: number }
  | { readonly kind: 'agentCrash'; readonly agent: AgentName }
  | { readonly kind: 'agentFreeze'; readonly agent: AgentName; readonly ms: number }
  | { readonly kind: 'away'; readonly agent: AgentName; readonly ms: number }
  | { readonly kind: 'loss'; readonly call: number }
  | { readonly kind: 'late'; readonly call: number; readonly ms: number }
  | { readonly kind: 'echo'; readonly call: number; readonly ms: number }
  | { readonly kind: 'stateRestart' }
  | { readonly kind: 'duplicate'; readonly run: number }
  | { readonly kind: 'emptyQueue' }
  | { readonly kind: 'cancel'; readonly run: number }
  | { readonly kind: 'pause'; readonly run: number; readonly ms: number }
);

export type DisturbanceKind = Disturbance['kind'];
/** What a disturbance does, wherever it is. */
export type Fault = Disturbance extends infer D ? (D extends Disturbance ? Omit<D, 'at'> : never) : never;
