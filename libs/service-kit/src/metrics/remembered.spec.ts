import { expect, it } from 'vitest';
import { remembered } from './remembered.js';

function counting(answers: (() => Promise<number>)[]) {
  const clock = { now: 0 };
  let asked = 0;
  const read = remembered(
    () => (answers[asked++] ?? (() => Promise.resolve(-1)))(),
    1_000,
    () => clock.now,
  );
  return { clock, read, asked: () => asked };
}

it('reads once for all who ask while the answer is fresh, and anew after that', async () => {
  const { clock, read, asked } = counting([() => Promise.resolve(1), () => Promise.resolve(2)]);
  expect(await Promise.all([read(), read()])).toEqual([1, 1]);
  clock.now = 999;
  expect(await read()).toBe(1);
  expect(asked()).toBe(1);
  clock.now = 1_000;
  expect(await read()).toBe(2);
});

it('does not remember a failure', async () => {
  const { read } = counting([() => Promise.reject(new Error('down')), () => Promise.resolve(2)]);
  await expect(read()).rejects.toThrow('down');
  expect(await read()).toBe(2);
});
