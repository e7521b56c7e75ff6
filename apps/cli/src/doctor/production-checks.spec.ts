import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CLONE } from '../clone.js';
import { runChecks } from './check.js';
import { PRODUCTION_CHECKS } from './production-checks.js';
import type { ProductionFacts } from './production-facts.js';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const HOUR = 3600_000;
const WELL: ProductionFacts = {
  mesh: { version: '1.0.0', revision: 'abc', database: { kind: 'external' } as never },
  installed: { version: '1.0.0', revision: 'abc' },
  settings: {
    DEVMESH_HOST: '10.1.2.3',
    DEVMESH_PUBLIC_URL: 'https://mesh.example.com',
    DEVMESH_BACKUP_TARGET: 'https://fra1.example.com/backups/mesh?region=fra1',
    DEVMESH_BACKUP_COPY_TARGET: '/mnt/copies',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
  },
  home: '/var/lib/devmesh',
  uid: 998,
  debuggable: [],
  secretFiles: [{ path: '/var/lib/devmesh/api-key', mode: 0o600 }],
  databaseUrl: new URL('postgres://mesh:word@db.example.com:5432/mesh?sslmode=verify-full'),
  lastBackup: { name: 'b', at: new Date(NOW - 10 * HOUR).toISOString(), targets: ['/mnt/copies'] },
  freeBytes: 50 * 1024 ** 3,
  freeShare: 0.5,
  now: NOW,
};

const withSettings = (settings: NodeJS.ProcessEnv): Partial<ProductionFacts> => ({
  settings: { ...WELL.settings, ...settings },
});
const database = (url: string): Partial<ProductionFacts> => ({ databaseUrl: new URL(url) });
const results = (facts: Partial<ProductionFacts> = {}) => runChecks(PRODUCTION_CHECKS, { ...WELL, ...facts });

describe('doctor --production', () => {
  it('has nothing to say of a mesh that is as it should be', async () => {
    expect((await results()).filter(({ state }) => state !== 'ok')).toEqual([]);
  });

  it.each<[string, string, Partial<ProductionFacts>, RegExp]>([
    ['version', 'bad', { mesh: null }, /not up/],
    [
      'version',
      'bad',
      { installed: { version: '1.0.0', revision: 'def' } },
      /1\.0\.0 \(abc\) runs, 1\.0\.0 \(def\) is/,
    ],
    ['account', 'bad', { uid: 0 }, /root/],
    ['account', 'warning', { uid: null }, /not known/],
    ['addresses', 'bad', withSettings({ DEVMESH_HOST: '0.0.0.0' }), /0\.0\.0\.0/],
    ['addresses', 'bad', withSettings({ DEVMESH_HOST: '203.0.113.7' }), /8001 to 8008/],
    ['addresses', 'bad', withSettings({ DEVMESH_HOST: '::' }), /::/],
    ['public URL', 'warning', withSettings({ DEVMESH_PUBLIC_URL: '' }), /not set/],
    ['public URL', 'bad', withSettings({ DEVMESH_PUBLIC_URL: 'http://mesh.example.com' }), /in the clear/],
    ['database', 'bad', database('postgres://u:word@db.example.com/mesh'), /sslmode none/],
    ['database', 'bad', database('postgres://u:word@db.example.com/mesh?sslmode=prefer'), /sslmode prefer/],
    ['database', 'warning', { mesh: { ...WELL.mesh, database: { kind: 'embedded' } } as never }, /embedded/],
    ['backups', 'bad', withSettings({ DEVMESH_BACKUP_TARGET: '' }), /no nightly backup/],
    ['backups', 'bad', withSettings({ DEVMESH_BACKUP_TARGET: '/var/lib/devmesh/backups' }), /in the data folder/],
    ['backups', 'warning', withSettings({ DEVMESH_BACKUP_COPY_TARGET: '' }), /no copy/],
    ['last backup', 'bad', { lastBackup: null }, /none/],
    ['last backup', 'bad', { now: NOW + 17 * HOUR }, /1 d 3 h ago/],
    ['secrets', 'bad', { secretFiles: [{ path: '/etc/key', mode: 0o640 }] }, /others may read \/etc\/key/],
    ['clones', 'bad', withSettings({ DEVMESH_CLONE_PROTOCOLS: '["https","file","http"]' }), /file and http/],
    ['retention', 'warning', withSettings({ DEVMESH_RETENTION: 'false' }), /for ever/],
    ['free space', 'warning', { freeShare: 0.09 }, /9 %/],
    ['free space', 'warning', { freeBytes: 9 * 1024 ** 3 }, /9\.0 GB/],
    ['traces', 'warning', withSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: '' }), /no trace/],
    ['debugging', 'bad', { debuggable: ['cicd'] }, /attach to cicd/],
    ['debugging', 'warning', withSettings({ LOG_LEVEL: 'debug' }), /LOG_LEVEL/],
  ])('%s is %s, alone, and has a cure', async (name, state, facts, found) => {
    const amiss = (await results(facts)).filter((result) => result.state !== 'ok');
    expect(amiss).toEqual([{ name, state, found: expect.stringMatching(found), cure: expect.any(String) }]);
  });

  it('takes loopback and private networks, and a database on this machine without TLS', async () => {
    for (const DEVMESH_HOST of ['', 'localhost', '::1', '192.168.1.9', '172.31.0.4', 'fd00::1']) {
      const [addresses] = (await results(withSettings({ DEVMESH_HOST }))).filter(({ name }) => name === 'addresses');
      expect(addresses).toMatchObject({ state: 'ok' });
    }
    const [, , , , local] = await results(database('postgres://u:word@127.0.0.1:5432/mesh'));
    expect(local).toEqual({ name: 'database', state: 'ok', found: 'yours, at 127.0.0.1:5432', cure: null });
  });

  it('never shows what is in the URL of the database but its place', async () => {
    for (const url of ['postgres://u:s3cret@db.example.com/mesh', 'postgres://u:s3cret@localhost/mesh'])
      expect(JSON.stringify(await results(database(url)))).not.toContain('s3cret');
  });

  it('is what docs/production-checklist.md lists, in its order', () => {
    const text = readFileSync(join(CLONE, 'docs/production-checklist.md'), 'utf8');
    const seen = text.slice(text.indexOf('## Seen by doctor'), text.indexOf('## By hand'));
    const named = [...seen.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
    expect(named).toEqual(PRODUCTION_CHECKS.map(([name]) => name));
  });
});
