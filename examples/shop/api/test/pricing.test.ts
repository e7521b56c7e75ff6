import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containedTax, goodsTotal, shippingFor } from '../src/orders/pricing.ts';

test('goods are counted line by line', () => {
  assert.equal(goodsTotal([{ sku: 'TEA-001', count: 2, priceCents: 1450 }]), 2900);
});

test('shipping is free from fifty', () => {
  assert.equal(shippingFor(4999), 490);
  assert.equal(shippingFor(5000), 0);
});

test('tax is taken out of the gross amount', () => {
  assert.equal(containedTax(1190, 0.19), 190);
});
