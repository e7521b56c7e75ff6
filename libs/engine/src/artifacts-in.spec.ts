import type { RunEvent } from '@devmesh/contracts/event';
import type { JsonObject } from '@devmesh/contracts/json';
import { describe, expect, it } from 'vitest';
import { artifactsIn } from './artifacts-in.js';

const KEY = '01890000-0000-7000-8000-000000000001/a/3/1';
const artifact = (digit: string, name = 'report.md') => ({
  digest: digit.repeat(64),
  name,
  mediaType: 'text/markdown',
  size: 1,
});
const completed = (output: JsonObject): RunEvent => ({
  type: 'StepCompleted',
  at: 1,
  step: 'a',
  key: KEY,
  outcome: { kind: 'succeeded', output },
});

describe('artifactsIn', () => {
  it('finds artifacts however deep, with the step and iteration that produced them', () => {
    const output = { report: artifact('a'), patch: { artifact: artifact('b'), list: [[artifact('c')]] } };
    expect(artifactsIn([completed(output)])).toEqual(
      ['a', 'b', 'c'].map((digit) => ({ ...artifact(digit), step: 'a', iteration: 3 })),
    );
  });

  it('names one artifact once, but one content under two names twice', () => {
    const output = { x: artifact('a'), y: artifact('a'), z: artifact('a', 'other.md') };
    expect(artifactsIn([completed(output)]).map(({ name }) => name)).toEqual(['report.md', 'other.md']);
  });

  it('leaves out what only looks like one, and outcomes that gave nothing', () => {
    const bad = { digest: 'nothing of the kind', mediaType: 'x', name: 'y', size: 1 };
    expect(artifactsIn([completed({ bad, none: null, text: 'digest' })])).toEqual([]);
    const failed: RunEvent = { type: 'StepCompleted', at: 1, step: 'a', key: KEY, outcome: { kind: 'timed_out' } };
    expect(artifactsIn([failed])).toEqual([]);
  });
});
