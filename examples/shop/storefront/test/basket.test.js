import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addToBasket, basketCount } from '../public/js/basket.js';

function memory() {
  const values = new Map();
  return { getItem: (key) => values.get(key) ?? null, setItem: (key, value) => values.set(key, value) };
}

test('a basket counts its pieces', () => {
  const storage = memory();
  addToBasket('TEA-001', storage);
  addToBasket('TEA-001', storage);
  addToBasket('LMP-003', storage);
  assert.equal(basketCount(storage), 3);
});
