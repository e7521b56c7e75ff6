import { describe, expect, it } from 'vitest';
import { GatheredOutput } from './gathered-output.js';

function output() {
  const written: string[] = [];
  const waiting: (() => void)[] = [];
  const atEnd: (() => void)[] = [];
  const stream = new GatheredOutput({
    write: (text) => written.push(text),
    after: (_ms, flush) => waiting.push(flush),
    atEnd: (flush) => atEnd.push(flush),
  });
  return { stream, written, pass: () => waiting.splice(0).forEach((flush) => flush()), end: () => atEnd[0]?.() };
}

describe('GatheredOutput', () => {
  it('writes lines that come close to each other at once, in their order', () => {
    const { stream, written, pass } = output();
    stream.write('one\n');
    stream.write('two\n');
    expect(written).toEqual([]);
    pass();
    stream.write('three\n');
    pass();
    pass();
    expect(written).toEqual(['one\ntwo\n', 'three\n']);
  });

  it('writes what is urgent, and what came before it, at once; and what is left when the process ends', () => {
    const { stream, written, pass, end } = output();
    stream.write('one\n');
    stream.write('a warning\n');
    stream.flush();
    stream.write('last\n');
    end();
    pass();
    expect(written).toEqual(['one\na warning\n', 'last\n']);
  });
});
