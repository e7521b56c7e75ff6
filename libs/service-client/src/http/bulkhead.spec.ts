import { describe, expect, it } from 'vitest';
import { Bulkhead } from './bulkhead.js';

function gate(): { work: () => Promise<string>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<string>((resolve) => (open = () => resolve('done')));
  return { work: () => opened, open };
}

describe('Bulkhead', () => {
  it('lets so many in, so many wait, and refuses the rest before they start', async () => {
    const bulkhead = new Bulkhead('cicd', { concurrent: 1, waiting: 1 });
    const [first, second] = [gate(), gate()];
    const running = bulkhead.run(first.work);
    const waiting = bulkhead.run(second.work);
    await expect(bulkhead.run(() => Promise.resolve('never'))).rejects.toMatchObject({
      code: 'unavailable',
      retryable: true,
    });
    first.open();
    second.open();
    await expect(Promise.all([running, waiting])).resolves.toEqual(['done', 'done']);
    await expect(bulkhead.run(() => Promise.resolve('free again'))).resolves.toBe('free again');
  });

  it('gives the place on when work fails', async () => {
    const bulkhead = new Bulkhead('cicd', { concurrent: 1, waiting: 1 });
    await expect(bulkhead.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(bulkhead.run(() => Promise.resolve(1))).resolves.toBe(1);
  });
});
