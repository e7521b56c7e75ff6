import { DevmeshError } from '@devmesh/contracts/errors';
import type { StoredEvent } from '@devmesh/contracts/event';
import type { RunView } from '@devmesh/contracts/gateway-api';
import type { Digest } from '@devmesh/contracts/ids';
import type { EventPage, RunRecord } from '@devmesh/contracts/state-api';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { LRUCache } from 'lru-cache';
import type { StatePort } from '../upstream/state.port.js';
import { prunedView, runView, runViewAt } from './run-view.js';

const MAX_WORKFLOWS = 200;
const EVENTS_PER_PAGE = 1000;

/** Reads what state-persistence holds of a run and folds it into its view. */
export class RunReaderService {
  // Addressed by content, so what is cached can't be out of date.
  readonly #workflows = new LRUCache<Digest, WorkflowDefinition>({ max: MAX_WORKFLOWS });

  constructor(private readonly state: Pick<StatePort, 'events' | 'run' | 'workflow'>) {}

  async view(record: RunRecord): Promise<RunView> {
    if (record.prunedAt !== undefined) return prunedView(record);
    try {
      const [workflow, page] = await Promise.all([this.workflow(record.workflowDigest), this.#events(record)]);
      return runView({ record, workflow, events: page.events, progress: page.progress });
    } catch (error) {
      if (!(error instanceof DevmeshError) || error.code !== 'gone') throw error;
      // Pruned since its record was read.
      return prunedView(await this.state.run(record.id));
    }
  }

  /** The view as it was after event `at`. */
  async viewAt(record: RunRecord, at: number): Promise<RunView> {
    const [workflow, events] = await Promise.all([this.workflow(record.workflowDigest), this.eventsUpTo(record, at)]);
    return runViewAt(record, workflow, events);
  }

  /**
   * The events of a run up to number `at`, or all of them. Throws `invalid_request` for a number that the run has not come to, and
   * `gone` when they were pruned.
   */
  async eventsUpTo(record: RunRecord, at?: number): Promise<StoredEvent[]> {
    const { events } = await this.#events(record);
    const last = events.at(-1)?.seq ?? 0;
    if (events[0]?.seq !== 1) {
      throw new DevmeshError('gone', `the events of run ${record.id} were removed; only its result is kept`);
    }
    if (at !== undefined && at > last) {
      throw new DevmeshError(
        'invalid_request',
        `run ${record.id} has ${last} events: at is a number from 1 to ${last}`,
      );
    }
    return at === undefined ? events : events.slice(0, at);
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
