import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchTerms } from '../src/catalogue/search-terms.ts';

test('small words are left out', () => {
  assert.deepEqual(searchTerms('A lamp for the garden'), ['lamp', 'garden']);
});

test('at most five words', () => {
  assert.equal(searchTerms('one two three four five six').length, 5);
});
