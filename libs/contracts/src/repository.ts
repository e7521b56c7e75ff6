import { z } from 'zod';
import { ArtifactRef } from './artifact.js';
import { CommitId, Digest } from './ids.js';

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
