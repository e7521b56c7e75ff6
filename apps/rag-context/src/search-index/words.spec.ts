import { describe, expect, it } from 'vitest';
import { words } from './words.js';

describe('words', () => {
  it.each([
    ['parseHttpRequest', ['parse', 'http', 'request']],
    ['parse_http_request', ['parse', 'http', 'request']],
    ['HTTPServer', ['http', 'server']],
    ['getV2Url', ['get', 'v2', 'url']],
    ['MAX_LINES', ['max', 'lines']],
    ['größeÄndern', ['größe', 'ändern']],
    ['a the const', []],
  ])('splits %s', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });
});
