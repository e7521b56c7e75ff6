import { CreateRun } from '@devmesh/contracts/gateway-api';
import { describe, expect, it } from 'vitest';
import { idempotencyKey, requestHash } from './request-hash.js';

function hashOf(json: string): string {
  return requestHash(CreateRun.parse(JSON.parse(json)));
}

describe('requestHash', () => {
  it('is a digest that stays the same from release to release', () => {
    expect(hashOf('{"task":"fix it","workflow":{"name":"deliver"}}')).toBe(
      // SHA-256 of {"task":"fix it","workflow":{"name":"deliver"}}
      '34f93f30f84544c4f63b484fae20a94a85af8658df610d548cc678e69f25d01d',
    );
  });

  it.each([
    ['order of members', '{"workflow":{"name":"deliver"},"task":"fix it"}'],
    ['white space', '{ "task" : "fix it",\n "workflow" : { "name" : "deliver" } }'],
    ['escapes', '{"task":"\\u0066ix it","workflow":{"name":"deliver"}}'],
    ['members that nobody knows', '{"task":"fix it","workflow":{"name":"deliver"},"comment":"hello"}'],
  ])('does not see %s', (_, json) => {
    expect(hashOf(json)).toBe(hashOf('{"task":"fix it","workflow":{"name":"deliver"}}'));
  });

  it('does not see defaults that are spelled out', () => {
    expect(hashOf('{"task":""}')).toBe(hashOf('{}'));
  });

  it.each([['{"task":"fix it "}'], ['{"task":"fix it","workflow":{"source":"deliver"}}'], ['{"task":"Fix it"}']])(
    'sees another request: %s',
    (json) => {
      expect(hashOf(json)).not.toBe(hashOf('{"task":"fix it","workflow":{"name":"deliver"}}'));
    },
  );

  it('refuses a text that has no canonical form', () => {
    expect(() => hashOf('{"task":"\\ud800"}')).toThrow(/lone surrogate/);
  });
});

describe('idempotencyKey', () => {
  it('is what the header says', () => {
    expect(idempotencyKey('8e03978e-40d5-43e8-bc93-6894a57f9324')).toBe('8e03978e-40d5-43e8-bc93-6894a57f9324');
    expect(idempotencyKey(undefined)).toBeNull();
  });

  it.each([[''], ['with space'], ['ü'], ['x'.repeat(256)]])('refuses %j and says what is wanted', (header) => {
    expect(() => idempotencyKey(header)).toThrow(/1 to 255 visible ASCII characters/);
  });
});
