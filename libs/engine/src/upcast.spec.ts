import { describe, expect, it } from 'vitest';
import { upcast } from './upcast.js';

const stopped = { type: 'ExecutionStopped', at: 1, key: '01890000-0000-7000-8000-000000000001/a/1/1' };

describe('upcast', () => {
  it('reads an event as it was stored', () => {
    expect(upcast(JSON.parse(JSON.stringify(stopped)))).toEqual(stopped);
  });

  it.each([
    ['an event of a later version', { type: 'StepDanced', at: 1 }, 'StepDanced'],
    ['an event whose shape is another', { ...stopped, key: 'x' }, 'ExecutionStopped: key'],
    ['what is no event', { at: 1 }, 'without a type'],
    ['nothing', null, 'without a type'],
  ])('refuses %s, and says which and what to do', (_about, stored, culprit) => {
    expect(() => upcast(stored)).toThrow(culprit);
    expect(() => upcast(stored)).toThrow('newer version of Devmesh');
  });
});
