import { describe, expect, it } from 'vitest';
import { looksLikeSecret, namesSecret } from './credential.js';

describe('namesSecret', () => {
  it.each([
    'password',
    'SMTP_PASSWORD',
    'dbPassword',
    'api_key',
    'apiKey',
    'clientSecret',
    'GITHUB_TOKEN',
    'privateKey',
  ])('%s names a credential', (name) => expect(namesSecret(name)).toBe(true));
  it.each(['passwordFile', 'PASSWORD_FIELD', 'tokenType', 'nextToken', 'keyboard', 'secretName', 'author'])(
    '%s does not',
    (name) => expect(namesSecret(name)).toBe(false),
  );
});

describe('looksLikeSecret', () => {
  it.each(['rainy-Harbour-4417', '9f2c77aa01be', 'k3ttle&Lamp'])('%s does', (text) =>
    expect(looksLikeSecret(text, 'password')).toBe(true),
  );
  it.each([
    ['short', 'a1!'],
    ['a placeholder', 'change-me-1'],
    ['another placeholder', '<your password 1>'],
    ['a variable', '${DB_PASSWORD1}'],
    ['a path', '/run/secrets/db1'],
    ['an address', 'https://a.example/login1'],
    ['a sentence', 'Enter your password 1'],
    ['its own name', 'db_password1'],
    ['the name of a variable', 'DB_PASSWORD_2'],
    ['words', 'user-password'],
    ['one kind of character', '1234567890'],
    ['the same over and over', 'a1a1a1a1a1a1'],
  ])('%s does not: %s', (_, text) => expect(looksLikeSecret(text, 'db_password1')).toBe(false));
});
