import { MAX_ARTIFACT_BYTES } from '@devmesh/contracts/artifact';
import type { DrillCheck, RestoreReport } from '@devmesh/contracts/backup';
import { DevmeshError } from '@devmesh/contracts/errors';
import type pg from 'pg';
import { ArtifactStore } from '../artifacts/artifact.store.js';
import { tablesOf, withClient, type BackupPlace } from './lines.js';

const PREFIX = 'devmesh_drill_';

/** A database that a killed drill left behind this long ago is dropped, ms. */
const ABANDONED_MS = 24 * 3600_000;

/** A database of its own on the server of `url`, and a store, for as long as `work` takes. */
export async function inScratchPlace<T>(
  url: string,
  storeFolder: string,
  now: Date,
  work: (place: BackupPlace) => Promise<T>,
): Promise<T> {
  const name = `${PREFIX}${now.getTime()}_${process.pid}`;
  await withClient(url, async (client) => {
    await dropAbandoned(client, now);
    await client.query(`CREATE DATABASE ${name}`).catch((error: unknown) => {
      throw new DevmeshError(
        'forbidden',
        `a drill needs a scratch database, and this user may not create one (${error instanceof Error ? error.message : String(error)}): set DEVMESH_BACKUP_DRILL_DATABASE_URL to a user that may`,
        { cause: error },
      );
    });
  });
  try {
    const scratch = new URL(url);
    scratch.pathname = `/${name}`;
    return await work({
      url: scratch.href,
      store: new ArtifactStore({ folder: storeFolder, maxBytes: MAX_ARTIFACT_BYTES }),
    });
  } finally {
    await withClient(url, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  }
}

async function dropAbandoned(client: pg.Client, now: Date): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT datname AS name FROM pg_database WHERE datname LIKE $1',
    [`${PREFIX.replaceAll('_', '\\_')}%`],
  );
  for (const { name } of rows) {
    const madeAt = Number(/^devmesh_drill_(\d+)_/.exec(name)?.[1] ?? Number.NaN);
    if (now.getTime() - madeAt > ABANDONED_MS)
      await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`);
  }
}

/** What must hold in any database that a mesh is started on. Each query counts what breaks it. */
const RULES: readonly (readonly [string, string])[] = [
  [
    'runs have heads',
    'SELECT count(*)::int AS n FROM runs r FULL JOIN run_heads h ON h.run_id = r.id WHERE r.id IS NULL OR h.run_id IS NULL',
  ],
  [
    'last events',
    'SELECT count(*)::int AS n FROM run_heads h WHERE (SELECT max(seq) FROM run_events e WHERE e.run_id = h.run_id) <> h.last_seq',
  ],
  [
    'unread rows',
    'SELECT count(*)::int AS n FROM run_heads h WHERE h.unread <> (SELECT count(*) FROM inbox i WHERE i.run_id = h.run_id AND NOT i.consumed)',
  ],
];

/** Counts rows and artifacts of a restored place, and holds it to the rules. */
export async function lookOver(
  { url, store }: BackupPlace,
  told: Pick<RestoreReport, 'rows' | 'artifacts'>,
): Promise<DrillCheck[]> {
  return withClient(url, async (client) => {
    const number = async (sql: string): Promise<number> =>
      (await client.query<{ n: number }>(sql)).rows[0]?.n ?? Number.NaN;
    let rows = 0;
    for (const table of await tablesOf(client))
      rows += await number(`SELECT count(*)::int AS n FROM ${client.escapeIdentifier(table)}`);
    const artifacts = await client.query<{ digest: string; size: string }>('SELECT digest, size FROM artifacts');
    let whole = 0;
    for (const { digest, size } of artifacts.rows) if ((await store.size(digest)) === Number(size)) whole++;
    const checks: DrillCheck[] = [
      { name: 'rows', ok: rows === told.rows, found: `${rows} of ${told.rows}` },
      { name: 'artifacts', ok: whole === told.artifacts, found: `${whole} of ${told.artifacts}, by SHA-256 and size` },
    ];
    for (const [name, sql] of RULES) {
      const broken = await number(sql);
      checks.push({ name, ok: broken === 0, found: broken === 0 ? 'as they must be' : `${broken} broken` });
    }
    return checks;
  });
}
