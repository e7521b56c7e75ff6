import assert from 'node:assert/strict';
import { test } from 'node:test';
import { price, stars } from '../public/js/format.js';

test('cents become a price', () => {
  assert.equal(price(1450), '14.50 €');
  assert.equal(price(5), '0.05 €');
});

test('five stars in all', () => {
  assert.equal(stars(3), '★★★☆☆');
});
