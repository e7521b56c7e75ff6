import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { describe, expect, it } from 'vitest';
import { frame, KEEP_ALIVE, resumePoint, retryAfter } from './sse.js';

function parse(text: string): { messages: EventSourceMessage[]; retries: number[]; comments: string[] } {
  const messages: EventSourceMessage[] = [];
  const retries: number[] = [];
  const comments: string[] = [];
  createParser({
    onEvent: (message) => messages.push(message),
    onRetry: (ms) => retries.push(ms),
    onComment: (comment) => comments.push(comment),
  }).feed(text);
  return { messages, retries, comments };
}

describe('frame', () => {
  it('is read back by a client as it was', () => {
    const data = { text: 'one\ntwo\r\nthree\u2028four', quote: '"' };
    const { messages } = parse(frame({ event: 'event', id: 7, data }));
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ event: 'event', id: '7' });
    expect(JSON.parse(messages[0]?.data ?? '')).toEqual(data);
  });

  it('without an id leaves the last one standing', () => {
    expect(frame({ event: 'progress', data: {} })).toBe('event: progress\ndata: {}\n\n');
  });

  it('keeps messages apart, and comments and retries out of them', () => {
    const text =
      retryAfter(1000) + frame({ event: 'a', id: 1, data: 1 }) + KEEP_ALIVE + frame({ event: 'b', id: 2, data: 2 });
    const { messages, retries, comments } = parse(text);
    expect(messages.map((message) => [message.event, message.id, message.data])).toEqual([
      ['a', '1', '1'],
      ['b', '2', '2'],
    ]);
    expect(retries).toEqual([1000]);
    expect(comments).toEqual(['keep-alive']);
  });
});

describe('resumePoint', () => {
  it.each([
    ['12', 3, 12],
    ['0', 3, 0],
    ['', 3, 3],
    [undefined, 3, 3],
    ['twelve', 3, undefined],
    ['-1', 3, undefined],
    ['1.5', 3, undefined],
    ['9'.repeat(20), 3, undefined],
  ])('of Last-Event-ID %j and after=%d is %j', (header, after, start) => {
    expect(resumePoint(header, after)).toBe(start);
  });
});
