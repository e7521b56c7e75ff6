import { isIP, BlockList } from 'node:net';
import { relative } from 'node:path';
import { RPO_MS } from '@devmesh/contracts/backup';
import { bytes, duration } from '../output/text.js';
import { bad, ok, warning, type Finding } from './check.js';
import type { ProductionFacts } from './production-facts.js';

type Check = (facts: ProductionFacts) => Finding;

const GIB = 1024 ** 3;
/** A nightly backup may take a while. */
const BACKUP_LATE_MS = RPO_MS + 2 * 3600_000;

/** Networks that nobody reaches from outside. */
const inner = new BlockList();
inner.addSubnet('127.0.0.0', 8);
inner.addSubnet('10.0.0.0', 8);
inner.addSubnet('172.16.0.0', 12);
inner.addSubnet('192.168.0.0', 16);
inner.addSubnet('100.64.0.0', 10);
inner.addAddress('::1', 'ipv6');
inner.addSubnet('fc00::', 7, 'ipv6');

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[?::1\]?)$/;

function isInner(host: string): boolean {
  if (host === 'localhost') return true;
  const kind = isIP(host);
  return kind !== 0 && inner.check(host, kind === 6 ? 'ipv6' : 'ipv4');
}

const version: Check = ({ mesh, installed }) => {
  if (mesh === null)
    return bad('the mesh is not up, so only the settings of this call are seen', 'start it, then look again');
  const name = (one: { version: string; revision: string | null }): string =>
    `${one.version}${one.revision === null ? '' : ` (${one.revision})`}`;
  return name(mesh) === name(installed)
    ? ok(name(mesh))
    : bad(`${name(mesh)} runs, ${name(installed)} is installed`, 'stop the mesh and start it again');
};

const account: Check = ({ uid }) => {
  if (uid === null) return warning('not known', 'let a user of its own start the mesh (deploy/systemd)');
  return uid === 0
    ? bad('the mesh runs as root', 'let a user of its own start it (deploy/systemd)')
    : ok(`user ${uid}`);
};

const addresses: Check = ({ settings }) => {
  const host = settings['DEVMESH_HOST'] || '127.0.0.1';
  return isInner(host)
    ? ok(`the services listen on ${host}`)
    : bad(
        `the services listen on ${host}, so that ports 8001 to 8008 may be reached from outside`,
        'set DEVMESH_HOST to 127.0.0.1 or to an address of the private network, and put a proxy in front of the gateway',
      );
};

const publicAddress: Check = ({ settings }) => {
  const url = settings['DEVMESH_PUBLIC_URL'] ?? '';
  const cure = 'set DEVMESH_PUBLIC_URL to the https:// address of the proxy: its certificate is then watched';
  if (url === '') return warning('DEVMESH_PUBLIC_URL is not set', cure);
  return url.startsWith('https://') ? ok(url) : bad(`${url} sends API keys in the clear`, cure);
};

const database: Check = ({ mesh, databaseUrl }) => {
  if (mesh?.database.kind === 'embedded')
    return warning(
      'the embedded one, on the disk of this machine',
      'with more than one machine, or where an hour of a restore is too long: DATABASE_URL of one that is looked after',
    );
  if (databaseUrl === null) return warning('not known', 'set DATABASE_URL, or start the mesh');
  if (LOOPBACK.test(databaseUrl.hostname)) return ok(`yours, at ${databaseUrl.host}`);
  const mode = databaseUrl.searchParams.get('sslmode') ?? 'none';
  return ['require', 'verify-ca', 'verify-full'].includes(mode)
    ? ok(`yours, at ${databaseUrl.host}, over TLS`)
    : bad(
        `yours, at ${databaseUrl.host}, with sslmode ${mode}: its password and all rows may travel in the clear`,
        'add ?sslmode=verify-full to DATABASE_URL',
      );
};

const backupTarget: Check = ({ settings, home }) => {
  const target = settings['DEVMESH_BACKUP_TARGET'] ?? '';
  if (target === '')
    return bad('there is no nightly backup', 'set DEVMESH_BACKUP_TARGET (docs/backup-and-recovery.md)');
  const away = target.includes('://') || relative(home, target).startsWith('..');
  if (!away)
    return bad(`${target} lies in the data folder, and is lost with it`, 'choose another disk, or an S3 store');
  return settings['DEVMESH_BACKUP_COPY_TARGET']
    ? ok(`${target}, with a copy elsewhere`)
    : warning(`${target}, and no copy`, 'set DEVMESH_BACKUP_COPY_TARGET to a store in another region');
};

const lastBackup: Check = ({ lastBackup: last, now }) => {
  if (last === null) return bad('none has reached its target yet', 'make one: devmesh backup');
  const age = now - Date.parse(last.at);
  return age <= BACKUP_LATE_MS
    ? ok(`${duration(age)} ago`)
    : bad(`${duration(age)} ago`, 'see the runbook BackupMissing (docs/runbooks)');
};

const secrets: Check = ({ secretFiles }) => {
  const open = secretFiles.filter(({ mode }) => (mode & 0o077) !== 0).map(({ path }) => path);
  return open.length === 0
    ? ok(`${secretFiles.length} files, for their owner only`)
    : bad(`others may read ${open.join(', ')}`, `chmod go= ${open.join(' ')}; then exchange what they hold`);
};

const clones: Check = ({ settings }) => {
  const protocols = settings['DEVMESH_CLONE_PROTOCOLS'] ?? '["https","ssh"]';
  const wide = ['file', 'http', 'git'].filter((name) => protocols.includes(`"${name}"`));
  return wide.length === 0
    ? ok(protocols)
    : bad(
        `DEVMESH_CLONE_PROTOCOLS allows ${wide.join(' and ')}`,
        'leave https and ssh: the others read this machine, or can be listened to',
      );
};

const retention: Check = ({ settings }) =>
  /^(false|0)$/.test(settings['DEVMESH_RETENTION'] ?? '')
    ? warning('the detail of runs is kept for ever', 'unset DEVMESH_RETENTION, or watch the disk')
    : ok(`detail of runs is kept ${settings['DEVMESH_RETENTION_DAYS'] || 30} days`);

const disk: Check = ({ freeBytes, freeShare }) => {
  const found = `${bytes(freeBytes)} free (${Math.round(freeShare * 100)} %)`;
  return freeBytes >= 10 * GIB && freeShare >= 0.1
    ? ok(found)
    : warning(found, 'have 10 GB and a tenth of it free: the alert DiskFilling comes at a tenth');
};

const traces: Check = ({ settings }) =>
  settings['OTEL_EXPORTER_OTLP_ENDPOINT']
    ? ok(settings['OTEL_EXPORTER_OTLP_ENDPOINT'])
    : warning('runs leave no trace', 'set OTEL_EXPORTER_OTLP_ENDPOINT to that of a collector');

const debugging: Check = ({ settings, debuggable }) => {
  if (debuggable.length > 0)
    return bad(`a debugger may attach to ${debuggable.join(', ')}`, 'start the mesh without inspector ports');
  return settings['LOG_LEVEL'] === 'debug'
    ? warning('LOG_LEVEL is debug', 'unset it: the logs grow many times faster')
    : ok('off');
};

/** In the order of docs/production-checklist.md, which says why each. */
export const PRODUCTION_CHECKS: readonly (readonly [string, Check])[] = [
  ['version', version],
  ['account', account],
  ['addresses', addresses],
  ['public URL', publicAddress],
  ['database', database],
  ['backups', backupTarget],
  ['last backup', lastBackup],
  ['secrets', secrets],
  ['clones', clones],
  ['retention', retention],
  ['free space', disk],
  ['traces', traces],
  ['debugging', debugging],
];
