import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readConfig } from './read-config.js';
import { portOf, ServiceConfig } from './service-config.js';
import { secretSetting, setting } from './setting.js';

const Config = z.object({
  port: setting('PORT', 'a port', z.int().max(65_535).default(80)),
  store: z.object({
    folder: setting('STORE_FOLDER', 'a folder', z.string()),
    keep: setting('STORE_KEEP', 'true or false', z.boolean().default(true)),
  }),
  password: secretSetting('PASSWORD', 'a password of 8 characters', z.string().min(8)).optional(),
  tags: setting('TAGS', 'a JSON list', z.array(z.string()).default([])),
});

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function read(env: Record<string, string>, yaml = ''): z.output<typeof Config> {
  const file = join(folder, 'production.yaml');
  writeFileSync(file, yaml);
  return readConfig(Config, { service: 'shop', env, file });
}

function complaint(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was accepted');
}

describe('readConfig', () => {
  it('lays the service over the defaults, the environment over both', () => {
    const yaml =
      'defaults: {port: 1, tags: [a]}\nshop: {port: 2, store: {folder: /data, keep: false}}\nother: {port: 9}';
    expect(read({}, yaml)).toEqual({ port: 2, tags: ['a'], store: { folder: '/data', keep: false } });
    expect(read({ PORT: '3', STORE_KEEP: '1', TAGS: '["b"]' }, yaml)).toEqual({
      port: 3,
      tags: ['b'],
      store: { folder: '/data', keep: true },
    });
  });

  it('takes an empty variable for unset', () => {
    expect(read({ PORT: '', STORE_FOLDER: 'x' }).port).toBe(80);
  });

  it.each([
    [{ STORE_FOLDER: 'x', PORT: 'many' }, 'PORT is "many", not a number: set it to a port'],
    [{ STORE_FOLDER: 'x', PORT: '70000' }, 'PORT is not valid'],
    [{}, 'STORE_FOLDER is not set: set it to a folder (also shop.store.folder in'],
    [{ STORE_FOLDER: 'x', STORE_KEEP: 'maybe' }, 'STORE_KEEP is "maybe", neither true nor false'],
    [{ STORE_FOLDER: 'x', TAGS: '[' }, 'TAGS is not JSON: set it to a JSON list'],
  ])('names the variable and the cure: %j', (env, text) => {
    expect(complaint(() => read(env))).toContain(text);
  });

  it('lists all that is wrong at once', () => {
    const text = complaint(() => read({ PORT: '70000' }));
    expect(text).toContain('PORT');
    expect(text).toContain('STORE_FOLDER');
  });

  it('never shows a secret', () => {
    const text = complaint(() => read({ STORE_FOLDER: 'x', PASSWORD: 'hunter2' }));
    expect(text).toContain('PASSWORD (or PASSWORD_FILE)');
    expect(text).not.toContain('hunter2');
  });

  it('reads a secret from a file that only its owner may read', () => {
    const file = join(folder, 'password');
    writeFileSync(file, 'correct horse\n', { mode: 0o600 });
    expect(read({ STORE_FOLDER: 'x', PASSWORD_FILE: file }).password).toBe('correct horse');
    chmodSync(file, 0o644);
    expect(complaint(() => read({ STORE_FOLDER: 'x', PASSWORD_FILE: file }))).toContain(`chmod 600 ${file}`);
    expect(complaint(() => read({ STORE_FOLDER: 'x', PASSWORD_FILE: `${file}x` }))).toContain('ENOENT');
    expect(complaint(() => read({ STORE_FOLDER: 'x', PASSWORD_FILE: file, PASSWORD: 'y' }))).toContain('both set');
  });

  it('puts the password of a file into a URL that has none', () => {
    const file = join(folder, 'url-password');
    writeFileSync(file, 'p@ss/word\n', { mode: 0o600 });
    const url = { STORE_FOLDER: 'x', PASSWORD: 'redis://user@host:1/0', PASSWORD_PASSWORD_FILE: file };
    expect(read(url).password).toBe('redis://user:p%40ss%2Fword@host:1/0');
    const both = { ...url, PASSWORD: 'redis://user:one@host:1/0' };
    expect(complaint(() => read(both))).toMatch(/leave one of them out/);
    expect(complaint(() => read({ ...url, PASSWORD_PASSWORD_FILE: `${file}x` }))).toContain('ENOENT');
  });

  it('refuses settings that nobody reads, and files that are none', () => {
    expect(complaint(() => read({ STORE_FOLDER: 'x' }, 'shop: {prot: 1}'))).toContain('shop.prot');
    expect(complaint(() => read({ STORE_FOLDER: 'x' }, 'shop: [1'))).toContain("can't be read");
    expect(complaint(() => read({ STORE_FOLDER: 'x' }, 'shop: 3'))).toContain('must be a section');
    expect(
      complaint(() => readConfig(Config, { service: 'shop', env: { DEVMESH_CONFIG: `${folder}/none.yaml` } })),
    ).toContain('does not exist');
  });
});

describe('ServiceConfig', () => {
  const env = { DEVMESH_INTERNAL_TOKEN: 'x'.repeat(32) };

  it('has a default for all but the internal token', () => {
    expect(complaint(() => readConfig(ServiceConfig, { service: 'cicd', env: {} }))).toContain(
      'DEVMESH_INTERNAL_TOKEN',
    );
    expect(readConfig(ServiceConfig, { service: 'cicd', env })).toMatchObject({ host: '127.0.0.1', portBase: 8000 });
  });

  it('gives each service its place after the first port', () => {
    const config = readConfig(ServiceConfig, { service: 'cicd', env: { ...env, DEVMESH_PORT_BASE: '9100' } });
    expect([portOf('gateway', config), portOf('cicd', config), portOf('state-persistence', config)]).toEqual([
      9100, 9105, 9108,
    ]);
    expect(portOf('cicd', { port: 1234, portBase: 9100 })).toBe(1234);
  });

  it('reads endpoints as JSON', () => {
    const config = readConfig(ServiceConfig, {
      service: 'cicd',
      env: { ...env, DEVMESH_ENDPOINTS: '{"gateway":["http://10.0.0.1:80"]}' },
    });
    expect(config.endpoints).toEqual({ gateway: ['http://10.0.0.1:80'] });
    expect(
      complaint(() =>
        readConfig(ServiceConfig, { service: 'cicd', env: { ...env, DEVMESH_ENDPOINTS: '{"nobody":[]}' } }),
      ),
    ).toContain('DEVMESH_ENDPOINTS');
  });
});
