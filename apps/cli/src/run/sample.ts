import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Home } from '../supervisor/home.js';

const run = promisify(execFile);

/** The trees under `examples/` that say what must come out of them: each is a sample repository. */
export async function sampleNames(clone: string): Promise<string[]> {
  const entries = await readdir(join(clone, 'examples')).catch((): string[] => []);
  return entries
    .flatMap((name) => /^(.+)\.expected\.json$/.exec(name)?.[1] ?? [])
    .filter((name) => entries.includes(name))
    .sort();
}

async function treeDigest(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const walk = async (path: string, name: string): Promise<void> => {
    for (const entry of (await readdir(path, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const child = join(path, entry.name);
      const shown = `${name}/${entry.name}`;
      if (entry.isDirectory()) await walk(child, shown);
      else if (entry.isSymbolicLink()) hash.update(`l ${shown}\0${await readlink(child)}\0`);
      else
        hash
          .update(`f ${shown}\0`)
          .update(await readFile(child))
          .update('\0');
    }
  };
  await walk(folder, '');
  return hash.digest('hex');
}

/** The same commit on every machine: fixed author and time, no settings of the user, no template, no hook. */
async function commitAll(folder: string, name: string, path: string | undefined): Promise<void> {
  const who = { NAME: 'Devmesh', EMAIL: 'devmesh@localhost', DATE: '2026-01-01T00:00:00Z' };
  const env = {
    PATH: path,
    HOME: tmpdir(),
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    ...Object.fromEntries(
      Object.entries(who).flatMap(([key, value]) => [
        [`GIT_AUTHOR_${key}`, value],
        [`GIT_COMMITTER_${key}`, value],
      ]),
    ),
  };
  const git = (...args: string[]): Promise<unknown> =>
    run(
      'git',
      [
        '-c',
        'core.autocrlf=false',
        '-c',
        'core.hooksPath=/dev/null',
        '-c',
        'core.excludesFile=/dev/null',
        '-c',
        'commit.gpgSign=false',
        ...args,
      ],
      { cwd: folder, env },
    );
  await git('init', '--quiet', '--template=', '--initial-branch=main', '--object-format=sha1');
  await git('add', '--all', '--force');
  await git('commit', '--quiet', '--no-verify', '-m', `The ${name} sample`);
}

/** A git repository of the sample in the data folder; made once, and again beside it when the sample has changed. */
export async function sampleRepository(home: Home, clone: string, env: NodeJS.ProcessEnv): Promise<string> {
  const name = (await sampleNames(clone))[0];
  if (name === undefined) {
    throw new DevmeshError(
      'not_found',
      `there is no sample repository in ${join(clone, 'examples')}: say which repository with --repo PATH`,
    );
  }
  const source = join(clone, 'examples', name);
  const digest = await treeDigest(source);
  for (const folder of [join(home.sample, name), join(home.sample, `${name}-${digest.slice(0, 8)}`)]) {
    const marker = join(folder, '.git', 'devmesh-sample');
    const made = await readFile(marker, 'utf8').catch(() => null);
    if (made?.trim() === digest) return folder;
    if (made !== null) continue;
    const scratch = join(home.sample, `.${name}.${process.pid}`);
    await rm(scratch, { recursive: true, force: true });
    try {
      await mkdir(scratch, { recursive: true });
      await cp(source, scratch, { recursive: true, verbatimSymlinks: true });
      await commitAll(scratch, name, env['PATH']);
      await writeFile(join(scratch, '.git', 'devmesh-sample'), `${digest}\n`);
      await rename(scratch, folder);
      return folder;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Another call was quicker, or something else lies there.
      if (code === 'ENOTEMPTY' || code === 'EEXIST') {
        if ((await readFile(marker, 'utf8').catch(() => ''))?.trim() === digest) return folder;
        continue;
      }
      throw error;
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  throw new DevmeshError(
    'conflict',
    `${join(home.sample, name)} is not the sample that this Devmesh made: move it away, or give a repository with --repo`,
  );
}
