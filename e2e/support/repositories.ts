import { treeChanges } from '@devmesh/repository/testing/tree-digest';
import { userGit } from '@devmesh/repository/testing/sample-git';

/**
 * What changed in a repository beside the one thing that may: objects that nobody had, and the branch `devmesh/<run>`. Empty when
 * nothing did.
 */
export function otherChanges(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const allowed = /^\+\.git\/(objects\/|refs\/heads\/devmesh(\/[0-9a-f-]{36})?$)/;
  return treeChanges(before, after).filter((change) => !allowed.test(change));
}

/** The branches that runs made. */
export function resultBranches(repository: string): string[] {
  const listed = userGit(repository, ['branch', '--list', 'devmesh/*', '--format=%(refname:short)']);
  return listed === '' ? [] : listed.split('\n');
}

export interface ResultCommit {
  readonly commit: string;
  readonly subject: string;
  readonly trailers: Readonly<Record<string, string>>;
}

/** The commits of a branch above another, oldest first, with the trailers that the mesh writes. */
export function commitsAbove(repository: string, base: string, branch: string): ResultCommit[] {
  const format = '%H%x1f%s%x1f%(trailers:only,unfold)%x1e';
  const text = userGit(repository, ['log', '--reverse', `--format=${format}`, `${base}..${branch}`]);
  return text
    .split('\u001e')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [commit = '', subject = '', trailers = ''] = entry.split('\u001f');
      const pairs = trailers.split('\n').flatMap((line) => {
        const [name, value] = line.split(/: (.*)/s);
        return name === undefined || value === undefined ? [] : [[name, value] as const];
      });
      return { commit, subject, trailers: Object.fromEntries(pairs) };
    });
}
