import { performance } from 'node:perf_hooks';
import { implement, type Action } from '@devmesh/agent-kit/action-context';
import { MAX_OUTPUT_BYTES } from '@devmesh/contracts/action';
import { ragContextSearch } from '@devmesh/contracts/actions/rag-context';
import type { SearchResult } from '../search-index/index-file.js';
import type { LoadedIndexes } from './loaded-indexes.js';

/** Told how long each search took, in seconds; feeds `rag_query_duration_seconds`. */
export type RecordQuery = (seconds: number) => void;

const MAX_SNIPPET = 2000;
/** Hits must fit into an output together with what is around them. */
const HITS_BYTES = MAX_OUTPUT_BYTES - 2048;

/** The hits with snippets as long as fit for all of them; where even none fit, the best hits. */
function fitting(found: readonly SearchResult[]): SearchResult[] {
  let hits = [...found];
  for (let length = MAX_SNIPPET; hits.length > 0; length = Math.floor(length / 2)) {
    hits = hits.map((hit) => ({ ...hit, snippet: hit.snippet.slice(0, length) }));
    if (Buffer.byteLength(JSON.stringify(hits)) <= HITS_BYTES) break;
    if (length === 0) hits.pop();
  }
  return hits;
}

export function searchAction(indexes: LoadedIndexes, recordQuery: RecordQuery): Action<typeof ragContextSearch> {
  return implement(ragContextSearch, async (ctx) => {
    const begun = performance.now();
    const { query, limit } = ctx.input;
    const loaded = await indexes.get(ctx.input.index, (ref) => ctx.artifacts.get(ref));
    const hits = fitting(loaded.search(query, limit));
    recordQuery((performance.now() - begun) / 1000);
    return { hits };
  });
}
