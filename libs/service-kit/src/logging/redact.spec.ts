import { describe, expect, it } from 'vitest';
import { redact, redactText } from './redact.js';

// Put together at run time: no text that looks like a secret stands in the source.
const filler = 'Zx81'.repeat(9);

describe('redactText', () => {
  it.each([
    ['a bearer token', `Authorization: Bearer ${filler}`],
    ['basic authentication', `authorization=Basic ${filler}==`],
    ['a user in a URL', `git clone https://me:${filler}@host.example/r.git`],
    ['a token alone in a URL', `git clone https://${filler}@host.example/r.git`],
    ['a database URL', `postgres://user:${filler}@127.0.0.1:5432/db`],
    ['a forge token', `token ghp_${filler}`],
    ['a model key', `sk-ant-${filler}`],
    ['a chat token', `xoxb-${filler}`],
    ['an API key of ours', `dm_${filler}`],
    ['a JWT', `eyJ${filler}.${filler}.${filler}`],
    ['an assignment', `password="${filler}" next`],
    ['a query parameter', `/x?api_key=${filler}&y=1`],
    ['a JSON member', `{"access_token":"${filler}"}`],
    ['a key file', `-----BEGIN RSA PRIVATE KEY-----\n${filler}\n-----END RSA PRIVATE KEY-----`],
  ])('hides %s', (_, text) => {
    const shown = redactText(text);
    expect(shown).not.toContain(filler);
    expect(shown).toContain('[redacted]');
  });

  it.each([
    'nothing to hide',
    'user@example.org wrote',
    'https://example.org/a@b',
    'the token is missing',
    'step review-1 of run 0190',
  ])('leaves "%s" as it is', (text) => {
    expect(redactText(text)).toBe(text);
  });
});

describe('redact', () => {
  it('hides members by name, however deep, and leaves the input alone', () => {
    const input = {
      a: { Authorization: 'x', list: [{ refreshToken: 'y', total_tokens: 3 }] },
      tokens: 5,
      password: null,
    };
    expect(redact(input)).toEqual({
      a: { Authorization: '[redacted]', list: [{ refreshToken: '[redacted]', total_tokens: 3 }] },
      tokens: 5,
      password: null,
    });
    expect(input.a.Authorization).toBe('x');
  });

  it('ends with cycles', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(JSON.stringify(redact(cycle))).toContain('[too deep]');
  });
});
