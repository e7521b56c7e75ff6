import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import { git, splitNul } from './git.js';
import { writeGitDir, type ObjectFormat } from './git-dir.js';
import { locateRepository, readSmallFile, type RepositoryLocation } from './locate.js';
import { showName } from './names.js';

/**
 * A git directory of ours that shows a user's repository: their objects (as alternates), refs (through a link), HEAD and
 * boundary commits (as copies), and a config that we wrote. git never reads the user's config, hooks or attributes file,
 * so nothing in them can run.
 */
export interface UserView {
  readonly location: RepositoryLocation;
  readonly gitDir: string;
  readonly objectFormat: ObjectFormat;
  /** Content of the user's HEAD. */
  readonly head: string;
  readonly shallow: readonly string[];
  /** Objects may be missing on purpose: a clone with `--filter`. */
  readonly partialClone: boolean;
}

/** Settings that only say how files on this disk compare with objects. Everything else in the user's config stays unread. */
const COMPARE_SETTINGS: Readonly<Record<string, RegExp>> = {
  'core.filemode': /^(true|false)$/,
  'core.symlinks': /^(true|false)$/,
  'core.ignorecase': /^(true|false)$/,
  'core.trustctime': /^(true|false)$/,
  'core.autocrlf': /^(true|false|input)$/,
  'core.eol': /^(lf|crlf|native)$/,
  'core.checkstat': /^(default|minimal)$/,
};
const KNOWN_EXTENSIONS = new Set([
  'objectformat',
  'refstorage',
  'partialclone',
  'worktreeconfig',
  'noop',
  'preciousobjects',
  'compatobjectformat',
  'relativeworktrees',
]);

/** Parses a config file given as bytes: no includes, nothing executed. Last value wins. */
async function readConfig(scratch: string, file: string): Promise<Map<string, string>> {
  const bytes = await readSmallFile(file);
  const values = new Map<string, string>();
  if (bytes === null) return values;
  let listed: Buffer;
  try {
    listed = (await git(['config', '--file', '-', '--no-includes', '--list', '-z'], { gitDir: scratch, input: bytes }))
      .stdout;
  } catch (error) {
    throw new DevmeshError('invalid_repository', `${showName(file)} is not a git config file: repair it`, {
      cause: error,
    });
  }
  for (const entry of splitNul(listed)) {
    const text = entry.toString();
    const at = text.indexOf('\n');
    values.set(at === -1 ? text : text.slice(0, at), at === -1 ? 'true' : text.slice(at + 1));
  }
  return values;
}

async function build(location: RepositoryLocation, dir: string): Promise<UserView> {
  const scratch = join(dir, 'scratch.git');
  await writeGitDir(scratch, { objectFormat: 'sha1', head: 'ref: refs/heads/none' });
  const configFile = join(location.commonDir, 'config');
  const config = await readConfig(scratch, configFile);

  if (config.get('core.bare') === 'true' && location.gitDir === location.commonDir) {
    throw new DevmeshError(
      'invalid_repository',
      `${showName(location.root)} is marked as a bare repository (core.bare in ${showName(configFile)}): give a clone with a working tree, or set core.bare to false`,
    );
  }
  for (const key of config.keys()) {
    if (
      config.get('core.repositoryformatversion') === '1' &&
      key.startsWith('extensions.') &&
      !KNOWN_EXTENSIONS.has(key.slice(11))
    ) {
      throw new DevmeshError(
        'invalid_repository',
        `${showName(location.root)} uses the git extension "${key.slice(11)}", which is not supported: clone it without`,
      );
    }
  }
  const format = config.get('extensions.objectformat') ?? 'sha1';
  if (format !== 'sha1' && format !== 'sha256') {
    throw new DevmeshError(
      'invalid_repository',
      `${showName(location.root)} uses the object format "${format}"; only sha1 and sha256 are known`,
    );
  }
  const head = (await readSmallFile(join(location.gitDir, 'HEAD')))?.toString().trim() ?? '';
  if (!/^(ref: refs\/\S.*|[0-9a-f]{40}|[0-9a-f]{64})$/.test(head)) {
    throw new DevmeshError(
      'invalid_repository',
      `${showName(join(location.gitDir, 'HEAD'))} names no commit and no branch: repair it with "git checkout <branch>"`,
    );
  }
  const shallow = ((await readSmallFile(join(location.commonDir, 'shallow')))?.toString() ?? '')
    .split('\n')
    .filter((line) => /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(line));

  for (const file of [join(location.gitDir, 'index'), join(location.commonDir, 'packed-refs')]) {
    // git would wait for a writer of a pipe.
    const found = await stat(file).catch(() => null);
    if (found !== null && !found.isFile())
      throw new DevmeshError('invalid_repository', `${showName(file)} is not a regular file: repair the repository`);
  }

  const gitDir = join(dir, 'view.git');
  await writeGitDir(gitDir, {
    objectFormat: format,
    head,
    shallow,
    objectDirs: location.objectDirs,
    refsOf: { commonDir: location.commonDir, reftable: config.get('extensions.refstorage') === 'reftable' },
    config: Object.fromEntries(
      Object.entries(COMPARE_SETTINGS).flatMap(([key, allowed]) =>
        allowed.test(config.get(key) ?? '') ? [[key, config.get(key) ?? '']] : [],
      ),
    ),
  });
  const exclude = join(location.commonDir, 'info', 'exclude');
  if ((await readSmallFile(exclude)) !== null) await copyFile(exclude, join(gitDir, 'info', 'exclude'));

  const partialClone =
    config.has('extensions.partialclone') || [...config.keys()].some((key) => /^remote\..*\.promisor$/s.test(key));
  return { location, gitDir, objectFormat: format, head, shallow, partialClone };
}

/** Runs `use` with a view of the repository that holds `path`; the view's folder is gone afterwards, whatever happens. */
export async function withUserView<T>(path: string, use: (view: UserView) => Promise<T>): Promise<T> {
  const location = await locateRepository(path);
  const dir = await mkdtemp(join(tmpdir(), 'devmesh-view-'));
  try {
    return await use(await build(location, dir));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
