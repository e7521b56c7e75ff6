import type { Json } from '@devmesh/contracts/json';
import type { Outcome } from '@devmesh/contracts/outcome';
import { WORKFLOW_LIMITS, type FanOut, type StepDefinition } from '@devmesh/contracts/workflow';
import type { Graph } from './graph.js';
import { itemIds } from './output.js';
import { resolveItems } from './references.js';
import { isSettled, type RunState } from './state.js';
import { failureText } from './summary.js';

function refused(message: string): Outcome {
  return { kind: 'failed', error: { code: 'bad_fan_out', message, retryable: false } };
}

/** The items of a fan-out that is ready; or its outcome, when there is nothing to grow or the list is not to be had. */
export function itemsFor(
  graph: Graph,
  state: RunState,
  definition: StepDefinition,
  fanOut: FanOut,
): { readonly items: readonly Json[] } | { readonly outcome: Outcome } {
  const { id } = definition;
  const list = resolveItems(graph, state, id, fanOut.items);
  if (!Array.isArray(list)) {
    const found = list === undefined ? 'leads to nothing' : `is ${list === null ? 'null' : `a ${typeof list}`}`;
    return { outcome: refused(`for_each of ${id}: \${{ ${fanOut.items} }} ${found}; it must be a list`) };
  }
  if (list.length > fanOut.maxItems)
    return { outcome: refused(`for_each of ${id} has ${list.length} items, more than max_items: ${fanOut.maxItems}`) };
  const bytes = Buffer.byteLength(JSON.stringify(list));
  if (bytes > WORKFLOW_LIMITS.fanOutBytes)
    return {
      outcome: refused(
        `the items of ${id} have ${bytes} bytes, more than ${WORKFLOW_LIMITS.fanOutBytes}; hand over names or digests`,
      ),
    };
  if (list.length > 0) return { items: list };
  return { outcome: { kind: 'succeeded', output: { count: 0, items: [] }, ...approvedIf(definition.gate) } };
}

function approvedIf(gate: boolean): { verdict?: 'approved' } {
  return gate ? { verdict: 'approved' } : {};
}

/** What a fan-out comes to once all its items have settled; undefined before. Items keep the order of the list. */
export function outcomeOfItems(state: RunState, definition: StepDefinition): Outcome | undefined {
  const ids = itemIds(state, definition.id);
  const items = ids.flatMap((id) => state.steps[id] ?? []);
  if (items.some((item) => !isSettled(item))) return undefined;
  const failed = ids.filter((id) => state.steps[id]?.phase !== 'succeeded');
  if (failed.length > 0) {
    const first = failed[0] ?? '';
    const message = `${failed.length} of ${ids.length} items failed; ${first}: ${failureText(state.steps[first])}`;
    return { kind: 'failed', error: { code: 'action_failed', message: message.slice(0, 4000), retryable: false } };
  }
  const verdicts = items.map((item) => (item.outcome?.kind === 'succeeded' ? item.outcome.verdict : undefined));
  const output = { count: ids.length };
  if (verdicts.includes('rejected')) return { kind: 'succeeded', output, verdict: 'rejected' };
  return verdicts.every((verdict) => verdict === 'approved')
    ? { kind: 'succeeded', output, verdict: 'approved' }
    : { kind: 'succeeded', output };
}
