import { expect, it } from 'vitest';
import { breakersLine } from './status.js';

it('counts the breakers that are closed, and names the others with caller and callee', () => {
  expect(
    breakersLine([
      { caller: 'gateway', callee: 'orchestrator', state: 'closed' },
      { caller: 'orchestrator', callee: 'code-review', state: 'open' },
      { caller: 'orchestrator', callee: 'cicd', state: 'half_open' },
      { caller: 'orchestrator', callee: 'state-persistence', state: 'closed' },
    ]),
  ).toBe('breakers: 2 closed, orchestrator to code-review open, orchestrator to cicd half open');
});
