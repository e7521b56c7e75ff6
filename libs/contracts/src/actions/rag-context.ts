import { z } from 'zod';
import { defineAction } from '../action.js';
import { ArtifactRef } from '../artifact.js';
import { RepositoryRef } from '../repository.js';

/** Indexes a repository in chunks at symbol borders. The index is an artifact, so any instance can search it. */
export const ragContextIndex = defineAction({
  id: 'rag-context/index',
  title: 'Index a repository for search',
  isDefault: true,
  defaults: { repository: '${{ repository }}' },
  input: z.object({ repository: RepositoryRef }),
  output: z.object({
    index: ArtifactRef,
    files: z.number().int().nonnegative(),
    chunks: z.number().int().nonnegative(),
    languages: z.record(z.string(), z.number().int().nonnegative()),
    summary: z.string().max(500),
  }),
});

export const SearchHit = z.object({
  path: z.string(),
  startLine: z.number().int().positive(),
  endLine: z.number().int().positive(),
  symbol: z.string().optional(),
  score: z.number(),
  snippet: z.string().max(2000),
});

export const ragContextSearch = defineAction({
  id: 'rag-context/search',
  title: 'Search an indexed repository by keywords',
  input: z.object({
    index: ArtifactRef,
    query: z.string().min(1).max(1000),
    limit: z.number().int().min(1).max(50).default(10),
  }),
  output: z.object({ hits: z.array(SearchHit).max(50) }),
});
