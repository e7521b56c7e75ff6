import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ArtifactRef } from '@devmesh/contracts/artifact';
import { DevmeshError } from '@devmesh/contracts/errors';
import { executionKey } from '@devmesh/contracts/ids';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import { createPatch } from '@devmesh/repository/patch';
import type { RepositoryCache } from '@devmesh/repository/store';
import { BundleShelf } from '@devmesh/repository/testing/bundle-shelf';
import type { Workspace } from '@devmesh/repository/workspace';
import type { ActionContext, Rework } from '../action-context.js';

const RUN = '01900000-0000-7000-8000-000000000000';

/** What a step is called with, where a test cares. */
export interface CallOptions {
  readonly step?: string;
  readonly rework?: Rework;
  readonly signal?: AbortSignal;
  readonly nowMs?: number;
}

/**
 * Runs actions without a mesh: real repositories and patches, artifacts in a folder, everything else plain values. `progress`
 * is what the actions said. Dispose of it when done.
 */
export class ActionBench {
  readonly shelf = new BundleShelf();
  readonly progress: string[] = [];
  readonly #cache: RepositoryCache = this.shelf.cache();
  readonly #open: { dispose(): Promise<void> }[] = [];
  readonly #workspaces = new Map<string, Workspace>();

  /** Packs a user's repository as the command does. */
  async submit(folder: string): Promise<RepositoryRef> {
    return (await this.shelf.submit(folder)).ref;
  }

  /** A checkout of a result, for looking at. */
  async checkOut(ref: RepositoryRef): Promise<Workspace> {
    const workspace = await this.#cache.workspace(ref);
    this.#open.push(workspace);
    return workspace;
  }

  put(content: Uint8Array | { readonly file: string }, as: { name: string; mediaType: string }): ArtifactRef {
    const bytes = content instanceof Uint8Array ? content : readFileSync(content.file);
    const digest = createHash('sha256').update(bytes).digest('hex');
    const path = join(this.shelf.folder, digest);
    if (content instanceof Uint8Array) writeFileSync(path, content);
    else if (content.file !== path) copyFileSync(content.file, path);
    return { digest, name: as.name, mediaType: as.mediaType, size: bytes.length };
  }

  read({ digest }: Pick<ArtifactRef, 'digest'>): Buffer {
    return readFileSync(this.file({ digest }));
  }

  file({ digest }: Pick<ArtifactRef, 'digest'>): string {
    const path = join(this.shelf.folder, digest);
    if (!existsSync(path)) throw new DevmeshError('not_found', `there is no artifact ${digest}`);
    return path;
  }

  context<I>(input: I, options: CallOptions = {}): ActionContext<I> {
    const step = options.step ?? 'step';
    return {
      key: executionKey(RUN, step, options.rework ? 2 : 1, 1),
      runId: RUN,
      step,
      iteration: options.rework ? 2 : 1,
      input,
      rework: options.rework,
      signal: options.signal ?? new AbortController().signal,
      progress: (message) => void this.progress.push(message),
      // Nobody else acts, and nothing is lost.
      effects: { perform: (request) => request.act(null, options.signal ?? new AbortController().signal) },
      checkout: async (ref) => {
        const workspace = await this.checkOut(ref);
        this.#workspaces.set(workspace.path, workspace);
        return { path: workspace.path, ref };
      },
      scratch: async (ref) => {
        const scratch = await this.#cache.scratch(ref);
        this.#open.push(scratch);
        return scratch;
      },
      artifacts: {
        put: (content, as) => Promise.resolve(this.put(content, as)),
        get: (ref) => Promise.resolve().then(() => this.read(ref)),
        file: (ref) => Promise.resolve().then(() => this.file(ref)),
      },
      patch: async (checkout, as) => {
        const workspace = this.#workspaces.get(checkout.path);
        if (!workspace) throw new Error(`${checkout.path} is not a checkout of this context`);
        const { bytes, base, title, body, files } = await createPatch(workspace, as.title, as.body);
        if (bytes.length === 0) return null;
        const artifact = this.put(bytes, { name: `${step}.patch`, mediaType: 'text/x-patch' });
        return { artifact, base, title, body, files: files.slice(0, 500) };
      },
      now: () => options.nowMs ?? 1_700_000_000_000,
    };
  }

  async dispose(): Promise<void> {
    for (const one of this.#open) await one.dispose();
    this.shelf.remove();
  }
}
