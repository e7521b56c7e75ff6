import type { ArtifactRef } from '@devmesh/contracts/artifact';
import { MediaType } from '@devmesh/contracts/artifact';
import { parseExecutionKey, type InstanceId } from '@devmesh/contracts/ids';
import type { PatchRef } from '@devmesh/contracts/repository';
import { createPatch } from '@devmesh/repository/patch';
import type { RepositoryCache } from '@devmesh/repository/store';
import type { Workspace } from '@devmesh/repository/workspace';
import type { StateClient } from '@devmesh/service-client/state.client';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import type { ActionContext, Checkout } from '../action-context.js';
import { Effects, type EffectsOptions } from '../effects/effects.js';
import type { Execution } from '../executions/execution.js';
import type { ArtifactCache } from './artifact-cache.js';

export interface ContextFactoryOptions {
  readonly repositories: RepositoryCache;
  readonly files: ArtifactCache;
  readonly artifacts: StateClient['artifacts'];
  readonly ledger: EffectsOptions['state'];
  readonly instance: InstanceId;
  readonly sleep: EffectsOptions['sleep'];
  readonly logger: Logger;
  readonly now: () => number;
}

interface Disposable {
  dispose(): Promise<void>;
}

/** Most paths that a patch names. */
const PATCH_FILES = 500;

/** Makes what an action gets beside its input, and takes it back. */
export class ContextFactory {
  readonly #options: ContextFactoryOptions;

  constructor(options: ContextFactoryOptions) {
    this.#options = options;
  }

  create(
    execution: Execution,
    input: unknown,
    progress: (message: string) => void,
  ): { context: ActionContext<unknown>; dispose: () => Promise<void> } {
    const { repositories, files, artifacts, ledger, instance, sleep, logger, now } = this.#options;
    const { key, request, signal } = execution;
    const approval = request.approval ?? null;
    const { runId, step, iteration } = parseExecutionKey(key);
    const open: Disposable[] = [];
    const workspaces = new Map<string, Workspace>();
    const put = async (
      content: Uint8Array | { readonly file: string },
      as: { name: string; mediaType: string },
    ): Promise<ArtifactRef> => ({
      ...(await artifacts.put(content, { signal })),
      ...as,
    });
    const context: ActionContext<unknown> = {
      key,
      runId,
      step,
      iteration,
      input,
      rework: request.rework ?? undefined,
      signal,
      progress,
      now,
      async checkout(ref) {
        const workspace = await repositories.workspace(ref, signal);
        open.push(workspace);
        workspaces.set(workspace.path, workspace);
        return { path: workspace.path, ref };
      },
      async scratch(ref) {
        const scratch = await repositories.scratch(ref, signal);
        open.push(scratch);
        return { gitDir: scratch.gitDir, ref };
      },
      artifacts: {
        put,
        get: ({ digest }) => artifacts.get(digest, { signal }),
        file: ({ digest }) => files.file(digest),
      },
      effects: new Effects({ state: ledger, execution: key, instance, approval, signal, now, sleep }),
      patch: (checkout, as) => storePatch(workspaceOf(workspaces, checkout), as, signal, put),
    };
    const dispose = async (): Promise<void> => {
      const results = await Promise.allSettled(open.map((item) => item.dispose()));
      for (const result of results) {
        if (result.status === 'rejected')
          logger.warn('a workspace could not be removed', { key, error: result.reason as unknown });
      }
    };
    return { context, dispose };
  }
}

function workspaceOf(workspaces: ReadonlyMap<string, Workspace>, checkout: Checkout): Workspace {
  const workspace = workspaces.get(checkout.path);
  if (workspace === undefined) throw new TypeError('patch() takes a checkout of the same execution');
  return workspace;
}

async function storePatch(
  workspace: Workspace,
  as: { title: string; body?: string },
  signal: AbortSignal,
  put: ActionContext<unknown>['artifacts']['put'],
): Promise<PatchRef | null> {
  const patch = await createPatch(workspace, as.title, as.body, signal);
  if (patch.bytes.length === 0) return null;
  const artifact = await put(patch.bytes, { name: 'change.patch', mediaType: MediaType.patch });
  return { artifact, base: patch.base, title: patch.title, body: patch.body, files: patch.files.slice(0, PATCH_FILES) };
}
