import type { StoredEvent } from '@devmesh/contracts/event';
import type { RunView } from '@devmesh/contracts/gateway-api';
import type { RunId } from '@devmesh/contracts/ids';
import { Progress } from '@devmesh/contracts/state-api';
import type { EventStreamService } from '../events/event-stream.service.js';
import type { ServerSentEvent } from '../events/sse.js';
import type { RunsService } from '../runs/runs.service.js';
import type { Work } from './tool.js';

/** Waits for runs on behalf of assistants. */
export class RunWait {
  constructor(
    private readonly runs: Pick<RunsService, 'view'>,
    private readonly streams: Pick<EventStreamService, 'follow'>,
  ) {}

  /** The run's view when it has ended, when a person is asked, or after `ms`, whichever comes first. Tells what happens meanwhile. */
  async until(runId: RunId, ms: number, { caller, signal, progress }: Work): Promise<RunView> {
    const now = await this.runs.view(caller, runId);
    if (ms === 0 || isOver(now)) return now;
    // Unlike that of AbortSignal.timeout, this one is gone when the wait is.
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), ms);
    try {
      for await (const heard of this.streams.follow(runId, now.lastSeq, AbortSignal.any([signal, over.signal]))) {
        if (heard === null) continue;
        await progress(lineOf(heard));
        if (heard.event === 'event' && (heard.data as StoredEvent).event.type === 'ApprovalRequested') break;
      }
    } finally {
      clearTimeout(timer);
    }
    return this.runs.view(caller, runId);
  }
}

const isOver = ({ status, steps }: RunView): boolean =>
  status === 'ended' || steps.some((step) => step.status === 'awaiting');

function lineOf({ event, data }: ServerSentEvent): string {
  switch (event) {
    case 'event': {
      const { seq, event: happened } = data as StoredEvent;
      return `${seq} ${happened.type}${'step' in happened ? ` ${happened.step}` : ''}`;
    }
    case 'progress':
      return Progress.parse(data).message;
    default:
      return event;
  }
}
