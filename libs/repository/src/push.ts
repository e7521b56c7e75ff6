import { DevmeshError } from '@devmesh/contracts/errors';
import type { CommitId } from '@devmesh/contracts/ids';
import { parseSource, redactUrl, type Source } from './clone.js';
import { git, GitFailure } from './git.js';
import { showName } from './names.js';

/** A remote, and what opens it. */
export interface Remote {
  readonly url: string;
  /** The value of an `Authorization` header; travels in the environment of git alone. */
  readonly authorization?: string;
  /** Default `https`, `ssh`. */
  readonly allowProtocols?: readonly string[];
}

export interface PushOptions {
  /** A git directory that holds the commit. */
  readonly gitDir: string;
  readonly commit: CommitId;
  readonly branch: string;
  /** What the branch must be at for the push to count; null: it must not be there. The remote refuses anything else. */
  readonly expected: CommitId | null;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const DEFAULT_PROTOCOLS = ['https', 'ssh'];
const DENIED =
  /terminal prompts disabled|could not read (?:Username|Password)|Authentication failed|Permission denied|error: 40[13]|HTTP 40[13]|unable to read askpass|Host key verification failed|Permission to .* denied/i;
const REFUSED = /\[(?:remote )?rejected\]|pre-receive hook declined|protected branch|\[remote failure\]/i;

/**
 * One atomic update of one branch of a remote, and nothing else: no tag, no hook, no credential helper of this machine. Throws
 * `conflict` when the branch is not at `expected` (nothing was done), `forbidden` when the remote lets nobody in or wants no such
 * push, `unavailable` or `deadline_exceeded` when nobody knows.
 */
export async function pushBranch(remote: Remote, options: PushOptions): Promise<void> {
  const source = sourceOf(remote);
  const { branch, commit, expected } = options;
  const ref = `refs/heads/${branch}`;
  const push = () =>
    git(
      [
        'push',
        '--quiet',
        '--no-verify',
        '--no-follow-tags',
        '--no-signed',
        '--atomic',
        `--force-with-lease=${ref}:${expected ?? ''}`,
        '--',
        source.url,
        `${commit}:${ref}`,
      ],
      call(source, remote, options),
    );
  try {
    await push();
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    // A checkout of one commit can't be pushed to where the branch has moved on: the history in between is fetched, and then it can.
    if (/shallow update not allowed/i.test(error.stderr)) {
      await git(['fetch', '--quiet', '--unshallow', '--no-tags', '--', source.url], call(source, remote, options));
      await push().catch((again: unknown) => {
        throw explain(again, remote, branch, expected);
      });
      return;
    }
    throw explain(error, remote, branch, expected);
  }
}

/** Where a branch of a remote is; null when it has none of that name. Throws as `pushBranch`. */
export async function remoteBranch(
  remote: Remote,
  options: Pick<PushOptions, 'gitDir' | 'branch' | 'timeoutMs' | 'signal'>,
): Promise<CommitId | null> {
  const source = sourceOf(remote);
  const ref = `refs/heads/${options.branch}`;
  try {
    const { stdout } = await git(
      ['ls-remote', '--quiet', '--refs', '--', source.url, ref],
      call(source, remote, options),
    );
    const line = stdout
      .toString()
      .split('\n')
      .find((one) => one.endsWith(`\t${ref}`));
    return line === undefined ? null : (line.split('\t')[0] ?? null);
  } catch (error) {
    throw explain(error, remote, options.branch, null);
  }
}

function sourceOf(remote: Remote): Source {
  const source = parseSource(remote.url);
  const allowed = remote.allowProtocols ?? DEFAULT_PROTOCOLS;
  if (!allowed.includes(source.protocol))
    throw new DevmeshError(
      'forbidden',
      `${shown(remote)} can't be pushed to: ${source.protocol} is not among the allowed protocols (${allowed.join(', ')})`,
    );
  return source;
}

function call(source: Source, remote: Remote, options: Pick<PushOptions, 'gitDir' | 'timeoutMs' | 'signal'>) {
  const { authorization } = remote;
  const origin = source.protocol.startsWith('http') ? `${new URL(source.url).origin}/` : '';
  return {
    gitDir: options.gitDir,
    protocols: [source.protocol],
    timeoutMs: options.timeoutMs,
    signal: options.signal,
    config: {
      ...source.config,
      ...(authorization === undefined || origin === ''
        ? {}
        : { [`http.${origin}.extraHeader`]: `Authorization: ${authorization}` }),
      // A token is for this host: nobody sends it on.
      'http.followRedirects': 'false',
    },
  };
}

function shown(remote: Remote): string {
  return showName(redactUrl(remote.url).slice(0, 200));
}

function explain(error: unknown, remote: Remote, branch: string, expected: CommitId | null): unknown {
  if (!(error instanceof GitFailure)) return error;
  const said = `${error.stderr}`;
  if (/stale info|fetch first|non-fast-forward|already exists|failed to lock|cannot lock ref/i.test(said))
    return new DevmeshError(
      'conflict',
      `branch ${branch} of ${shown(remote)} is not ${expected === null ? 'absent' : `at ${expected.slice(0, 10)}`} any more: somebody else pushed to it; look at it, then run this again`,
    );
  if (DENIED.test(said))
    return new DevmeshError(
      'forbidden',
      `${shown(remote)} lets nobody in: give feature-dev a token for its host that may push (apps/feature-dev/README.md)`,
    );
  if (REFUSED.test(said))
    return new DevmeshError('forbidden', `${shown(remote)} takes no push to ${branch}: ${firstLines(said)}`);
  return new DevmeshError(
    'unavailable',
    `${shown(remote)} did not answer as a git remote: ${firstLines(said) || 'git gave no reason'}`,
  );
}

function firstLines(text: string): string {
  return redactUrl(
    text
      .trim()
      .split('\n')
      .slice(-3)
      .join('; ')
      .slice(0, 300)
      .replace(/(\w+:\/\/)[^/@\s]*@/g, '$1'),
  );
}
