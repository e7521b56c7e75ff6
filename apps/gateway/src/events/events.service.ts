import { DevmeshError, parseOrThrow } from '@devmesh/contracts/errors';
import { EventList } from '@devmesh/contracts/gateway-api';
import type { RunId } from '@devmesh/contracts/ids';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Caller } from '../api-keys/caller.js';
import { untilClosed } from '../http/until-closed.js';
import type { RunAccessService } from '../runs/run-access.service.js';
import type { StatePort } from '../upstream/state.port.js';
import type { EventStreamService } from './event-stream.service.js';
import type { EventsQuery } from './events-query.js';
import { resumePoint } from './sse.js';

/** The events of a run, as a stream or page by page. */
export class EventsService {
  constructor(
    private readonly state: Pick<StatePort, 'events'>,
    private readonly access: RunAccessService,
    private readonly streams: EventStreamService,
  ) {}

  /** A stream, unless the client would rather have JSON. */
  async answer(
    caller: Caller,
    runId: RunId,
    query: z.output<typeof EventsQuery>,
    request: Request,
    response: Response,
  ): Promise<void> {
    await this.access.assertOwn(caller.projectId, runId);
    response.vary('accept');
    if (request.accepts(['text/event-stream', 'application/json']) === 'application/json') {
      const page = await this.state.events(runId, query, untilClosed(response));
      response.json(parseOrThrow(EventList, page, 'the answer', 'internal'));
      return;
    }
    const start = startOf(request, query.after);
    if (request.method === 'HEAD') {
      response.type('text/event-stream').end();
      return;
    }
    await this.streams.stream(runId, start, response);
  }
}

function startOf(request: Request, after: number): number {
  const start = resumePoint(request.get('last-event-id'), after);
  if (start !== undefined) return start;
  throw new DevmeshError(
    'invalid_request',
    'Last-Event-ID is the number of an event: send back the id that you were sent',
  );
}
