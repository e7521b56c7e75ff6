import { mkdir, readFile, stat, writeFile, copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RunView } from '@devmesh/contracts/gateway-api';
import type { MeshApi } from '../gateway/mesh-api.js';
import type { HandedOver } from '../output/run-lines.js';
import type { Home } from '../supervisor/home.js';

/** What this machine remembers of a run that it submitted: `run.json` in the run's folder. */
export interface RunRecord {
  readonly run: string;
  /** Top folder of the user's repository; null when the mesh cloned it. */
  readonly repository: string | null;
}

export const runFolder = (home: Home, run: string): string => join(home.runs, run);

export async function rememberRun(home: Home, record: RunRecord): Promise<void> {
  const folder = runFolder(home, record.run);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'run.json'), `${JSON.stringify(record, null, 2)}\n`);
}

export async function recallRun(home: Home, run: string): Promise<RunRecord | null> {
  try {
    return JSON.parse(await readFile(join(runFolder(home, run), 'run.json'), 'utf8')) as RunRecord;
  } catch {
    return null;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Fetches an artifact once; content never changes under its digest. */
async function keepArtifact(api: MeshApi, digest: string, file: string): Promise<string> {
  if (!(await exists(file))) {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await api.getArtifact(digest, file);
  }
  return file;
}

const PARALLEL = 4;

/**
 * Brings home what a run made: the branch into the user's repository, `report.md`, `findings.sarif`, and every artifact by its
 * digest, with `artifacts.json` to tell their names. Repeating it is harmless.
 */
export async function handOver(home: Home, api: MeshApi, run: RunView, env: NodeJS.ProcessEnv): Promise<HandedOver> {
  const folder = runFolder(home, run.id);
  await mkdir(join(folder, 'artifacts'), { recursive: true, mode: 0o700 });
  const record = await recallRun(home, run.id);
  const artifacts = await api.artifacts(run.id);
  const at = (digest: string): string => join(folder, 'artifacts', digest);

  const waiting = [
    ...new Set([
      ...artifacts.map(({ digest }) => digest),
      ...[run.report, run.sarif, run.result?.bundle].filter((digest) => typeof digest === 'string'),
    ]),
  ];
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop())
        await keepArtifact(api, digest, at(digest));
    }),
  );
  await writeFile(join(folder, 'artifacts.json'), `${JSON.stringify(artifacts, null, 2)}\n`);

  const named = async (digest: string | null, name: string): Promise<string | null> => {
    if (digest === null) return null;
    const file = join(folder, name);
    await copyFile(at(digest), file);
    return file;
  };
  const report = await named(run.report, 'report.md');
  const sarif = await named(run.sarif, 'findings.sarif');
  const { result } = run;
  const handed = {
    repository: record?.repository ?? null,
    branch: null,
    commits: null,
    report,
    sarif,
    bundle: result === null ? null : at(result.bundle),
    folder,
  };
  if (result === null || typeof record?.repository !== 'string') return handed;

  const { fetchResult } = await import('@devmesh/repository/deliver');
  await fetchResult(record.repository, at(result.bundle), { branch: result.branch, commit: result.commit });
  const { countCommits } = await import('./user-git.js');
  return {
    ...handed,
    branch: result.branch,
    commits: await countCommits(record.repository, result.base, result.commit, env),
  };
}
