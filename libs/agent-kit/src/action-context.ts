import type { ActionContract } from '@devmesh/contracts/action';
import type { ArtifactRef } from '@devmesh/contracts/artifact';
import type { JsonObject } from '@devmesh/contracts/json';
import type { ExecutionKey, RunId, StepId } from '@devmesh/contracts/ids';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import type { z } from 'zod';
import type { Effects } from './effects/effects.js';

/** A private checkout of one commit, gone when the execution ends. */
export interface Checkout {
  /** Absolute path of the working tree. Never follow its links out of it. */
  readonly path: string;
  readonly ref: RepositoryRef;
}

/** A private git directory that holds a commit and its base, gone when the execution ends. */
export interface ObjectStore {
  readonly gitDir: string;
  readonly ref: RepositoryRef;
}

/** Why a step is done again: the step that rejected, and its output. */
export interface Rework {
  readonly from: StepId;
  readonly output: JsonObject;
}

/** What an action gets beside its input. All of it ends with the execution. */
export interface ActionContext<I> {
  readonly key: ExecutionKey;
  readonly runId: RunId;
  readonly step: StepId;
  readonly iteration: number;
  readonly input: I;
  readonly rework: Rework | undefined;
  /** Fires on cancel and on the deadline; long work must heed it. */
  readonly signal: AbortSignal;
  /** Says what is being done now, in a few words; the latest is shown to who watches. */
  progress(message: string): void;
  /** Materialises a tree; disposed of by the kit. */
  checkout(ref: RepositoryRef): Promise<Checkout>;
  /** The objects of a tree without its files, for making commits; disposed of by the kit. */
  scratch(ref: RepositoryRef): Promise<ObjectStore>;
  readonly artifacts: {
    /** Stores bytes, or the file at a path, by digest. */
    put(content: Uint8Array | { readonly file: string }, as: { name: string; mediaType: string }): Promise<ArtifactRef>;
    get(ref: Pick<ArtifactRef, 'digest'>): Promise<Buffer>;
    /** A local read-only file with the content. */
    file(ref: Pick<ArtifactRef, 'digest'>): Promise<string>;
  };
  /** The difference between a checkout as it is now and its commit, as a stored patch; null when there is none. */
  patch(
    checkout: Checkout,
    as: { title: string; body?: string },
  ): Promise<import('@devmesh/contracts/repository').PatchRef | null>;
  /** What reaches the world outside goes through this, and through nothing else. */
  readonly effects: Pick<Effects, 'perform'>;
  /** Unix ms. */
  now(): number;
}

/** The code of an action. Throws `DevmeshError` for failures that are its own; any other throw is a bug and ends as `internal`. */
export type ActionHandler<A extends ActionContract> = (
  context: ActionContext<z.output<A['input']>>,
) => Promise<z.input<A['output']>>;

/** What became of an execution whose instance died inside it. */
export type ProbeResult<O> =
  | { readonly state: 'done'; readonly output: O }
  /** It left no trace: it is run. */
  | { readonly state: 'not_done' }
  /** Ends as `lost`, with this said to people. */
  | { readonly state: 'unknown'; readonly message: string };

/** Looks at the world outside for what an execution of this key did. Changes nothing. */
export type ActionProbe<A extends ActionContract> = (
  context: ActionContext<z.output<A['input']>>,
) => Promise<ProbeResult<z.input<A['output']>>>;

export interface Action<A extends ActionContract = ActionContract> {
  readonly contract: A;
  readonly run: ActionHandler<A>;
  /** Asked when a claim of a `once` action has lapsed and its contract says `onLost: 'probe'`. */
  readonly probe?: ActionProbe<A>;
}

/** Binds a handler to its contract; give the list of these to `createAgentModule`. */
export function implement<A extends ActionContract>(
  contract: A,
  run: ActionHandler<A>,
  more: { readonly probe?: ActionProbe<A> } = {},
): Action<A> {
  return { contract, run, ...more };
}
