import { z } from 'zod';
import { ArtifactRef } from './artifact.js';
import { CommitId, Digest, UnixMs } from './ids.js';

/**
 * A tree of a repository as the mesh passes it around: git bundles to fetch in this order, and the commit to check out.
 * `shallow` are the boundary commits of a depth-limited first bundle: the receiver writes them to `.git/shallow` before it fetches.
 * `base` is the commit of the user's own repository that everything is built on.
 */
export const RepositoryRef = z.object({
  bundles: z.array(Digest).min(1).max(64),
  commit: CommitId,
  base: CommitId,
  shallow: z.array(CommitId).max(1000).default([]),
});
export type RepositoryRef = z.infer<typeof RepositoryRef>;

/** A proposed change: a `git diff --binary --full-index` against `base`, to become one commit with `title` as its subject. */
export const PatchRef = z.object({
  artifact: ArtifactRef,
  base: CommitId,
  title: z.string().min(1).max(200),
  body: z.string().max(20_000).default(''),
  /** Paths touched, at most 500 of them; for people, not for applying. Bytes that are not UTF-8 are replaced. */
  files: z.array(z.string()).max(500),
});
export type PatchRef = z.infer<typeof PatchRef>;

/** Something about the repository that a user should know, e.g. "submodules are left alone: vendor/x". */
export const RepositoryNotice = z.object({
  code: z.enum([
    'dirty_tree',
    'submodules',
    'lfs_pointers',
    'outside_links',
    'shallow',
    'detached_head',
    'non_utf8_names',
    'large_files',
  ]),
  message: z.string().max(2000),
});
export type RepositoryNotice = z.infer<typeof RepositoryNotice>;

/** Most commits of a `RepositoryHistory`, and most characters of a title or a tag. */
export const HISTORY_LIMITS = { commits: 500, text: 500 } as const;

/** What led to a commit, the latest first: the commits' own words, without their content. An artifact of its own, as JSON. */
export const RepositoryHistory = z.object({
  version: z.literal(1),
  commits: z
    .array(
      z.object({
        commit: CommitId,
        /** When it was committed. */
        at: UnixMs,
        title: z.string().max(HISTORY_LIMITS.text),
        tags: z.array(z.string().max(HISTORY_LIMITS.text)).max(20),
        isMerge: z.boolean(),
        /** A run of the mesh made it. */
        byMesh: z.boolean(),
      }),
    )
    .max(HISTORY_LIMITS.commits),
  /** Whether the first commit of all is among them. */
  complete: z.boolean(),
});
export type RepositoryHistory = z.infer<typeof RepositoryHistory>;
