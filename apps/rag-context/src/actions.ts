import type { Action } from '@devmesh/agent-kit/action-context';
import { LoadedIndexes } from './search/loaded-indexes.js';
import { searchAction, type RecordQuery } from './search/search.action.js';
import { index } from './search-index/index.action.js';

/** What this agent needs from its process. */
export interface ActionPorts {
  readonly recordQuery: RecordQuery;
}

/** Every action of this agent. */
export function createActions({ recordQuery }: ActionPorts): readonly Action[] {
  return [index, searchAction(new LoadedIndexes(), recordQuery)];
}
