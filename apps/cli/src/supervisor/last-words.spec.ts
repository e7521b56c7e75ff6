import { describe, expect, it } from 'vitest';
import { LastWords } from './last-words.js';

function telling(...chunks: readonly string[]): string {
  const words = new LastWords();
  for (const chunk of chunks) words.hear(Buffer.from(chunk));
  return words.telling;
}

describe('LastWords', () => {
  it.each([
    ['nothing', [], ''],
    ['the last line', ['one\ntwo\n'], 'two'],
    ['a line that has no end yet', ['one\ntw', 'o'], 'two'],
    [
      "node's word for a crash, not its version",
      ['file.js:1\nthrow x\n\nTypeError: boom\n    at f (file.js:1)\n\nNode.js v24.0.0\n'],
      'TypeError: boom',
    ],
    [
      "PostgreSQL's",
      ['2026 LOG:  starting\n2026 FATAL:  no space left\n2026 LOG:  shut down\n'],
      '2026 FATAL:  no space left',
    ],
    [
      'an error of a log, with its cause',
      [
        '{"level":"error","message":"could not start","error":{"message":"no key"}}\n{"level":"info","message":"bye"}\n',
      ],
      'could not start: no key',
    ],
    ['a log without errors', ['{"level":"info","message":"bye"}\n'], '{"level":"info","message":"bye"}'],
  ])('tells %s', (_, chunks, expected) => expect(telling(...chunks)).toBe(expected));
});
