import { describe, expect, it } from 'vitest';
import { words } from './words.js';

describe('words', () => {
  it.each([
    ['parseHttpRequest', ['parse', 'http', 'request', 'parsehttprequest']],
    ['parse_http_request', ['parse', 'http', 'request', 'parsehttprequest']],
    ['HTTPServer', ['http', 'server', 'httpserver']],
    ['getV2Url', ['get', 'v2', 'url', 'getv2url']],
    ['MAX_LINES', ['max', 'lines', 'maxlines']],
    ['größeÄndern', ['größe', 'ändern', 'größeändern']],
    ['a the const', []],
  ])('splits %s', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });
});
