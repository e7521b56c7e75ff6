import type { RunView } from '@devmesh/contracts/gateway-api';
import type { Digest } from '@devmesh/contracts/ids';
import type { EventPage, RunRecord } from '@devmesh/contracts/state-api';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { LRUCache } from 'lru-cache';
import type { StatePort } from '../upstream/state.port.js';
import { runView } from './run-view.js';

const MAX_WORKFLOWS = 200;
const EVENTS_PER_PAGE = 1000;

/** Reads what state-persistence holds of a run and folds it into its view. */
export class RunReaderService {
  // Addressed by content, so what is cached can't be out of date.
  readonly #workflows = new LRUCache<Digest, WorkflowDefinition>({ max: MAX_WORKFLOWS });

  constructor(private readonly state: Pick<StatePort, 'events' | 'workflow'>) {}

  async view(record: RunRecord): Promise<RunView> {
    const [workflow, page] = await Promise.all([this.workflow(record.workflowDigest), this.#events(record)]);
    return runView({ record, workflow, events: page.events, progress: page.progress });
  }

  async workflow(digest: Digest): Promise<WorkflowDefinition> {
    const known = this.#workflows.get(digest);
    if (known !== undefined) return known;
    const workflow = await this.state.workflow(digest);
    this.#workflows.set(digest, workflow);
    return workflow;
  }

  /** All events of a run so far, page by page. */
  async #events(record: RunRecord): Promise<Pick<EventPage, 'events' | 'progress'>> {
    const events: EventPage['events'] = [];
    for (;;) {
      const page = await this.state.events(record.id, { after: events.at(-1)?.seq ?? 0, limit: EVENTS_PER_PAGE });
      events.push(...page.events);
      if (page.events.length < EVENTS_PER_PAGE) return { events, progress: page.progress };
    }
  }
}
