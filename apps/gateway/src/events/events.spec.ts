import { once } from 'node:events';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { DevmeshError, Problem } from '@devmesh/contracts/errors';
import type { EventPage } from '@devmesh/contracts/state-api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { happened, key, record, RUN, stored } from '../testing/history.js';
import { scriptKeys, scriptRun } from '../testing/scripted-mesh.js';
import { TestGateway } from '../testing/test-gateway.js';

const gateway = new TestGateway();
beforeAll(() => gateway.start());
afterAll(() => gateway.close());
beforeEach(() => scriptKeys(gateway));
afterEach(() => {
  gateway.endTest();
});

const PATH = `/v1/runs/${RUN}/events`;
const { created, scheduled, ended } = happened;
const HISTORY = stored(created(), scheduled(1, 'implement'), scheduled(2, 'review'), ended(3, 'passed', 'all good'));

/** A stream as a client sees it. */
async function open(
  headers: Record<string, string> = {},
  path = PATH,
): Promise<{ response: Response; stream: Stream }> {
  const gone = new AbortController();
  const response = await gateway.call(path, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: gone.signal,
  });
  return { response, stream: new Stream(response, () => gone.abort()) };
}

class Stream {
  readonly #messages: EventSourceMessage[] = [];
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #parser = createParser({ onEvent: (message) => this.#messages.push(message) });
  readonly #decoder = new TextDecoder();

  constructor(
    private readonly response: Response,
    readonly leave: () => void,
  ) {}

  /** The next message; undefined when the server has closed. */
  async next(): Promise<EventSourceMessage | undefined> {
    this.#reader ??= this.response.body?.getReader();
    while (this.#messages.length === 0) {
      const chunk = await this.#reader?.read();
      if (chunk === undefined || chunk.done) return undefined;
      this.#parser.feed(this.#decoder.decode(chunk.value, { stream: true }));
    }
    return this.#messages.shift();
  }

  async rest(): Promise<EventSourceMessage[]> {
    const messages = [];
    for (let message = await this.next(); message !== undefined; message = await this.next()) messages.push(message);
    return messages;
  }
}

describe('a stream of events', () => {
  it('tells all of a run that has ended, and is closed by the server', async () => {
    scriptRun(gateway, record(), HISTORY);
    const { response, stream } = await open();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    // Else the connection would outlive the stream, and a gateway that stops would wait for it.
    expect(response.headers.get('connection')).toBe('close');
    const messages = await stream.rest();
    expect(messages.map((message) => [message.event, message.id])).toEqual([
      ['event', '1'],
      ['event', '2'],
      ['event', '3'],
      ['event', '4'],
      ['end', undefined],
    ]);
    expect(messages.slice(0, 4).map((message) => JSON.parse(message.data) as unknown)).toEqual(HISTORY);
    expect(JSON.parse(messages[4]?.data ?? '')).toEqual({ lastSeq: 4, verdict: 'passed', reason: 'all good' });
  });

  it.each([
    ['Last-Event-ID', { 'last-event-id': '2' }, PATH],
    ['?after=', {}, `${PATH}?after=2`],
    ['Last-Event-ID before ?after=', { 'last-event-id': '2' }, `${PATH}?after=1`],
  ])('goes on where %s says', async (_, headers, path) => {
    scriptRun(gateway, record(), HISTORY);
    const { stream } = await open(headers as Record<string, string>, path);
    expect((await stream.rest()).map((message) => message.id)).toEqual(['3', '4', undefined]);
  });

  it('brings nothing twice and loses nothing over a broken connection', async () => {
    scriptRun(gateway, record(), HISTORY);
    // The first stream gets two events, then state-persistence goes away in mid-poll.
    let polls = 0;
    gateway.state.on(`GET ${PATH}`, ({ query }): EventPage => {
      polls += 1;
      const after = Number(query.get('after'));
      if (polls === 1) return { events: HISTORY.slice(0, 2), progress: [], ended: false };
      if (polls === 2) throw new DevmeshError('unavailable', 'restarting');
      return { events: HISTORY.slice(after), progress: [], ended: true };
    });
    const first = await open();
    const before = await first.stream.rest();
    const last = before.at(-1)?.id ?? '';
    const second = await open({ 'last-event-id': last });
    const after = await second.stream.rest();
    expect([...before, ...after].map((message) => message.id)).toEqual(['1', '2', '3', '4', undefined]);
  });

  it('shows what slow steps are doing, as it changes', async () => {
    scriptRun(gateway, record(), HISTORY);
    const pages: EventPage[] = [
      {
        events: HISTORY.slice(0, 2),
        progress: [{ step: 'implement', key: key('implement'), message: 'reading' }],
        ended: false,
      },
      { events: [], progress: [{ step: 'implement', key: key('implement'), message: 'reading' }], ended: false },
      { events: [], progress: [{ step: 'implement', key: key('implement'), message: 'writing' }], ended: false },
      { events: HISTORY.slice(2), progress: [], ended: true },
    ];
    gateway.state.on(`GET ${PATH}`, () => pages.shift());
    const { stream } = await open();
    const progress = (await stream.rest()).filter((message) => message.event === 'progress');
    expect(progress.map((message) => (JSON.parse(message.data) as { message: string }).message)).toEqual([
      'reading',
      'writing',
    ]);
  });

  it('is open before anything happens, and hears of news while it waits', async () => {
    scriptRun(gateway, record(), []);
    let release: ((page: EventPage) => void) | undefined;
    const waiting = new Promise<void>((resolve) => {
      gateway.state.on(`GET ${PATH}`, ({ query }) => {
        if (query.get('waitMs') === '0') return { events: [], progress: [], ended: false };
        resolve();
        return new Promise<EventPage>((answer) => (release = answer));
      });
    });
    const { response, stream } = await open();
    expect(response.status).toBe(200);
    await waiting;
    release?.({ events: HISTORY, progress: [], ended: true });
    expect((await stream.next())?.id).toBe('1');
    expect(await stream.rest()).toHaveLength(4);
  });

  it('that its client leaves stops the poll behind it', async () => {
    scriptRun(gateway, record(), []);
    const polled = new Promise<void>((resolve) => {
      gateway.state.raw(`GET ${PATH}`, (request, response) => {
        if (new URL(request.url ?? '', 'http://s').searchParams.get('waitMs') === '0') {
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify({ events: HISTORY.slice(0, 1), progress: [], ended: false }));
          return;
        }
        // Never answered: only the gateway can end it.
        void once(response, 'close').then(() => resolve());
        stream.leave();
      });
    });
    const { stream } = await open();
    await polled;
  });

  it('that can not begin is refused with a problem', async () => {
    scriptRun(gateway, record(), []);
    gateway.state.on(`GET ${PATH}`, () => {
      throw new DevmeshError('unavailable', 'the database is away');
    });
    const { response } = await open();
    expect(response.status).toBe(503);
    expect(Problem.parse(await response.json())).toMatchObject({ code: 'unavailable', retryable: true });
  });

  it('is refused for a Last-Event-ID that is none', async () => {
    scriptRun(gateway, record(), []);
    const { response } = await open({ 'last-event-id': 'yesterday' });
    expect(response.status).toBe(400);
    expect(Problem.parse(await response.json()).detail).toContain('Last-Event-ID');
  });

  it('answers a HEAD with a head', async () => {
    scriptRun(gateway, record(), []);
    const response = await gateway.call(PATH, { method: 'HEAD', headers: { accept: 'text/event-stream' } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
  });
});

describe('a gateway that stops', () => {
  it('ends the streams at once, so that their clients go elsewhere', async () => {
    const stopping = new TestGateway();
    await stopping.start();
    scriptKeys(stopping);
    scriptRun(stopping, record(), []);
    const waiting = new Promise<void>((resolve) => {
      stopping.state.raw(`GET ${PATH}`, (request, response) => {
        if (new URL(request.url ?? '', 'http://s').searchParams.get('waitMs') !== '0') return resolve();
        response.setHeader('content-type', 'application/json').end('{"events":[],"progress":[],"ended":false}');
      });
    });
    const response = await stopping.call(PATH, { headers: { accept: 'text/event-stream' } });
    await waiting;
    await Promise.all([stopping.closeService(), response.text()]);
    await stopping.close();
  });
});
