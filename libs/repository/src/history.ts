import type { CommitId } from '@devmesh/contracts/ids';
import { HISTORY_LIMITS, type RepositoryHistory } from '@devmesh/contracts/repository';
import { git, GitFailure } from './git.js';

/** Fields of a commit, apart by US (0x1f); commits are apart by NUL. */
const FORMAT = ['%H', '%ct', '%P', '%(trailers:key=Devmesh-Run,valueonly,separator=%x2c)', '%s'].join('%x1f');
const MAX_TAGS = 2000;

/**
 * What led to a commit, from the git directory's own objects and tags. Undefined when git cannot tell it, as where commits are
 * missing: a history is never a reason to fail.
 */
export async function readHistory(
  gitDir: string,
  commit: CommitId,
  { isShallow, signal }: { readonly isShallow: boolean; readonly signal?: AbortSignal | undefined },
): Promise<RepositoryHistory | undefined> {
  try {
    const most = HISTORY_LIMITS.commits;
    const log = [
      'log',
      '-z',
      '--topo-order',
      `--max-count=${most + 1}`,
      '--encoding=UTF-8',
      `--format=${FORMAT}`,
      commit,
      '--',
    ];
    const listed = (await git(log, { gitDir, signal })).stdout.toString();
    const tags = await tagsOf(gitDir, signal);
    const all = listed
      .split('\0')
      .filter((entry) => entry !== '')
      .map((entry) => {
        const [id = '', seconds = '0', parents = '', run = '', ...title] = entry.split('\x1f');
        return {
          commit: id,
          at: Number(seconds) * 1000,
          title: title.join(' ').slice(0, HISTORY_LIMITS.text),
          tags: (tags.get(id) ?? []).slice(0, 20),
          isMerge: parents.includes(' '),
          byMesh: run !== '',
          isFirst: parents === '',
        };
      });
    const commits = all.slice(0, most);
    return {
      version: 1,
      // A boundary of a shallow repository has no parents either.
      complete: !isShallow && commits.at(-1)?.isFirst === true && all.length === commits.length,
      commits: commits.map(({ isFirst: _isFirst, ...told }) => told),
    };
  } catch (error) {
    if (error instanceof GitFailure) return undefined;
    throw error;
  }
}

/** Names of tags by the commit that they name. */
async function tagsOf(gitDir: string, signal: AbortSignal | undefined): Promise<Map<string, string[]>> {
  const { stdout } = await git(
    [
      'for-each-ref',
      `--count=${MAX_TAGS}`,
      '--sort=-creatordate',
      '--format=%(objectname) %(*objectname) %(refname:strip=2)',
      'refs/tags',
    ],
    { gitDir, signal },
  );
  const tags = new Map<string, string[]>();
  for (const line of stdout.toString().split('\n')) {
    const [object = '', peeled = '', ...name] = line.split(' ');
    const tag = name.join(' ').slice(0, HISTORY_LIMITS.text);
    if (tag === '') continue;
    const commit = peeled === '' ? object : peeled;
    tags.set(commit, [...(tags.get(commit) ?? []), tag]);
  }
  return tags;
}
