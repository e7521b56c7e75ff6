import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { CommitId } from '@devmesh/contracts/ids';
import { HISTORY_LIMITS, type RepositoryHistory, type RepositoryNotice } from '@devmesh/contracts/repository';
import { git, GitFailure } from './git.js';
import { writeGitDir, type ObjectFormat } from './git-dir.js';
import { readHistory } from './history.js';
import { showName } from './names.js';
import { bundleCommit } from './pack.js';
import { listTree, treeNotices } from './tree.js';

export interface CloneOptions {
  /** Branch, tag or full commit id; default the branch that the server calls HEAD. */
  readonly ref?: string;
  /** For the whole clone, in ms; default two minutes. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Default `https`, `http`, `ssh`. `file` (for tests, or a trusted disk) must be asked for. */
  readonly allowProtocols?: readonly ('https' | 'http' | 'ssh' | 'git' | 'file')[];
  /** A folder for the bundle; made if missing. */
  readonly outDir: string;
}

/** As `PackedRepository`, of a repository by URL. */
export interface ClonedRepository {
  readonly file: string;
  readonly base: CommitId;
  readonly commit: CommitId;
  readonly shallow: CommitId[];
  readonly notices: readonly RepositoryNotice[];
  readonly fileCount: number;
  /** Undefined where the server does not hand out commits without their content. */
  readonly history: RepositoryHistory | undefined;
}

/** A remote by its URL. */
export interface Source {
  readonly protocol: string;
  /** Without a password: what git gets as an argument and people get to see. */
  readonly url: string;
  readonly config: Readonly<Record<string, string>>;
}

const DEFAULT_TIMEOUT_MS = 120_000;
/** For each of the calls that bring the history, ms: it is worth no more. */
const HISTORY_MS = 20_000;
const DEFAULT_PROTOCOLS = ['https', 'http', 'ssh'] as const;
const MAX_URL_LENGTH = 4096;

/** The URL without user and password, for messages. */
export function redactUrl(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1').replace(/^[^/@\s]*@(?=[^/]*:)/, '');
}

/** Reads a URL as git does; throws `clone_failed` for what is none. */
export function parseSource(url: string): Source {
  const shown = showName(redactUrl(url).slice(0, 200));
  const bad = (why: string): DevmeshError => new DevmeshError('clone_failed', `${shown} can't be cloned: ${why}`);
  if (url === '' || url.length > MAX_URL_LENGTH || url.startsWith('-') || /[\u0000-\u001f\u007f]/.test(url)) {
    throw bad('it is not a URL; give one such as https://host/owner/name.git');
  }
  if (/^[a-z0-9+.-]+::/i.test(url)) throw bad('it asks for a helper program; give a plain https or ssh URL');
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) {
    // As git reads it: "host:path" without a slash before the colon is ssh, everything else a path.
    if (/^[^/:]+:/.test(url)) return { protocol: 'ssh', url, config: {} };
    return { protocol: 'file', url, config: {} };
  }
  if (url.startsWith('file://')) return { protocol: 'file', url, config: {} };
  let parsed: URL;
  try {
    if (url.includes(' ')) throw new TypeError('space');
    parsed = new URL(url);
  } catch {
    throw bad('it is not a valid URL; give one such as https://host/owner/name.git');
  }
  const protocol = parsed.protocol.slice(0, -1);
  if (parsed.username === '' && parsed.password === '') return { protocol, url, config: {} };
  if (protocol !== 'https' && protocol !== 'http') {
    if (parsed.password === '') return { protocol, url, config: {} };
    throw bad(`a password in a URL of ${protocol} is not used; give a key to the machine's ssh agent, or an https URL`);
  }
  const userInfo = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`;
  parsed.username = '';
  parsed.password = '';
  // Arguments of a process can be read by every user of the machine, its environment can't.
  return {
    protocol,
    url: parsed.href,
    config: {
      [`http.${parsed.origin}/.extraHeader`]: `Authorization: Basic ${Buffer.from(userInfo).toString('base64')}`,
    },
  };
}

const ASKS_FOR_PASSWORD =
  /terminal prompts disabled|could not read (?:Username|Password)|Authentication failed|Permission denied \(|error: 40[13]|unable to read askpass|Host key verification failed/i;
const NO_SUCH_REF = /couldn't find remote ref|not our ref|unadvertised object|no such remote ref/i;

function explain(error: GitFailure, source: Source, ref: string | undefined): DevmeshError {
  const shown = showName(redactUrl(source.url));
  const said = redactUrl(
    error.stderr
      .trim()
      .split('\n')
      .slice(-3)
      .join('; ')
      .slice(0, 400)
      .replace(/(\w+:\/\/)[^/@\s]*@/g, '$1'),
  );
  if (ASKS_FOR_PASSWORD.test(error.stderr)) {
    return new DevmeshError(
      'clone_failed',
      `${shown} asks for a password or key, and the mesh types none: give a URL with a token, make the repository readable, or clone it yourself and pass the folder`,
    );
  }
  if (NO_SUCH_REF.test(error.stderr)) {
    const text =
      ref === undefined
        ? `${shown} is empty: push a first commit to it`
        : `${shown} has no branch, tag or commit "${ref}": see "git ls-remote ${shown}"`;
    return new DevmeshError('invalid_repository', text);
  }
  return new DevmeshError(
    'clone_failed',
    `${shown} can't be cloned: ${said || 'git gave no reason'}; check the address and that this machine reaches it`,
  );
}

async function fetchCommit(
  dir: string,
  source: Source,
  options: CloneOptions,
  timeoutMs: number,
): Promise<{ gitDir: string; commit: CommitId }> {
  const attempt = async (objectFormat: ObjectFormat): Promise<{ gitDir: string; commit: CommitId }> => {
    const gitDir = join(dir, `${objectFormat}.git`);
    await writeGitDir(gitDir, { objectFormat, head: 'ref: refs/heads/none' });
    await git(
      [
        'fetch',
        '--quiet',
        '--depth=1',
        '--no-tags',
        '--no-recurse-submodules',
        '--no-auto-maintenance',
        '--',
        source.url,
        options.ref ?? 'HEAD',
      ],
      { gitDir, protocols: [source.protocol], config: source.config, timeoutMs, signal: options.signal },
    );
    const { stdout } = await git(['rev-parse', '--verify', 'FETCH_HEAD^{commit}'], { gitDir });
    return { gitDir, commit: stdout.toString().trim() };
  };
  try {
    return await attempt('sha1');
  } catch (error) {
    if (!(error instanceof GitFailure) || !/mismatched algorithms/i.test(error.stderr)) throw error;
    return attempt('sha256');
  }
}

/** For each call, ms. */
interface HistoryLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Whether a server leaves out what it is asked to: what it says of itself in protocol version 2. */
async function canFilter(
  gitDir: string,
  { protocol, url, config }: Source,
  { timeoutMs, signal }: HistoryLimits,
): Promise<boolean> {
  const { stderr } = await git(['ls-remote', '--quiet', '--', url, 'HEAD'], {
    gitDir,
    protocols: [protocol],
    config: { ...config, 'protocol.version': '2' },
    env: { GIT_TRACE_PACKET: '2' },
    timeoutMs,
    signal,
  });
  return /< fetch=[^\n]*\bfilter\b/.test(stderr);
}

/**
 * What led to the commit: commits and tags alone, of a server that leaves out trees and files when asked. Undefined from any
 * other, which would send the content of all of them.
 */
async function fetchHistory(
  dir: string,
  source: Source,
  ref: string | undefined,
  fetched: { readonly gitDir: string; readonly commit: CommitId },
  limits: HistoryLimits,
): Promise<RepositoryHistory | undefined> {
  const { timeoutMs, signal } = limits;
  try {
    if (timeoutMs <= 0 || !(await canFilter(fetched.gitDir, source, limits))) return undefined;
    const gitDir = join(dir, 'history.git');
    const objectFormat = fetched.commit.length === 64 ? 'sha256' : 'sha1';
    await writeGitDir(gitDir, { objectFormat, head: 'ref: refs/heads/none' });
    const plain = ['--quiet', '--filter=tree:0', '--no-recurse-submodules', '--no-auto-maintenance', '--no-tags'];
    const call = { gitDir, protocols: [source.protocol], config: source.config, timeoutMs, signal };
    const depth = `--depth=${HISTORY_LIMITS.commits}`;
    await git(['fetch', ...plain, depth, '--', source.url, ref ?? 'HEAD', 'refs/tags/*:refs/tags/*'], call);
    return await readHistory(gitDir, fetched.commit, { isShallow: existsSync(join(gitDir, 'shallow')), signal });
  } catch (error) {
    if (error instanceof GitFailure || (error instanceof DevmeshError && error.code === 'deadline_exceeded'))
      return undefined;
    throw error;
  }
}

/**
 * Clones one commit of a repository by URL into `outDir/repository.bundle`. Nobody is asked for anything; a user and password in the URL are
 * used and appear in no argument, message or bundle. git and its helpers are gone when this returns.
 *
 * Throws `clone_timeout`, `clone_failed` (address, protocol, password), `invalid_repository` (empty, or no such ref),
 * `execution_cancelled`.
 */
export async function cloneRepository(url: string, options: CloneOptions): Promise<ClonedRepository> {
  const source = parseSource(url);
  const allowed: readonly string[] = options.allowProtocols ?? DEFAULT_PROTOCOLS;
  const shown = showName(redactUrl(source.url));
  if (!allowed.includes(source.protocol)) {
    throw new DevmeshError(
      'clone_failed',
      `${shown} can't be cloned: ${source.protocol} is not among the allowed protocols (${allowed.join(', ')})`,
    );
  }
  const { ref } = options;
  if (ref !== undefined && !/^[^\s\u0000-\u001f\u007f~^:?*[\\+-][^\s\u0000-\u001f\u007f~^:?*[\\]{0,999}$/.test(ref)) {
    throw new DevmeshError(
      'invalid_repository',
      `${showName(ref.slice(0, 100))} is not a name that a branch, tag or commit can have: see "git ls-remote ${shown}"`,
    );
  }
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const deadline = performance.now() + timeoutMs;
  const outDir = resolve(options.outDir);
  await mkdir(outDir, { recursive: true });
  const dir = await mkdtemp(join(outDir, 'clone-'));
  try {
    const { gitDir, commit } = await fetchCommit(dir, source, options, timeoutMs);
    const entries = await listTree(gitDir, commit, options.signal);
    const notices = await treeNotices(gitDir, entries, options.signal);
    if (performance.now() > deadline) throw new DevmeshError('deadline_exceeded', 'too late');
    const file = join(outDir, 'repository.bundle');
    const shallow = await bundleCommit(gitDir, commit, file, options.signal);
    const history = await fetchHistory(
      dir,
      source,
      ref,
      { gitDir, commit },
      { timeoutMs: Math.min(HISTORY_MS, deadline - performance.now()), signal: options.signal },
    );
    return { file, base: commit, commit, shallow, notices, fileCount: entries.length, history };
  } catch (error) {
    if (error instanceof GitFailure) throw explain(error, source, ref);
    if (error instanceof DevmeshError && error.code === 'deadline_exceeded') {
      throw new DevmeshError(
        'clone_timeout',
        `${shown} did not answer completely within ${timeoutMs} ms: check that this machine reaches it, or allow more time`,
      );
    }
    throw error;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
