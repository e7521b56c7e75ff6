import type { RepositoryHistory } from '@devmesh/contracts/repository';
import { plain } from './markdown.js';

type Commit = RepositoryHistory['commits'][number];

const MAX_RELEASES = 20;
const MAX_ENTRIES = 100;
const VERSION = /^v?\d+(\.\d+){1,3}([-+.][0-9A-Za-z.-]{1,40})?$/;
/** `type(scope)!: text`, as Conventional Commits 1.0.0 has it. */
const CONVENTIONAL = /^([a-z]+)(?:\(([^()]{1,60})\))?(!)?: +(\S.*)$/i;
/** Kinds that say something to who uses the project, in the words of Keep a Changelog. The rest says something to who works on it. */
const KINDS: Readonly<Record<string, string>> = {
  feat: 'Added',
  fix: 'Fixed',
  perf: 'Changed',
  refactor: 'Changed',
  revert: 'Changed',
  deprecate: 'Deprecated',
  remove: 'Removed',
  security: 'Security',
};
const ORDER = ['Breaking', 'Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];

interface Release {
  /** A version, or empty for what follows the last release. */
  readonly name: string;
  readonly commits: Commit[];
}

/** Whether the history has a release: without one there is nothing that a changelog could be of. */
export function hasRelease({ commits }: RepositoryHistory): boolean {
  return commits.some((commit) => versionOf(commit) !== undefined);
}

/**
 * What changed from release to release, by the commits' titles: grouped where most of them follow Conventional Commits, else as a list. Merges and
 * what the mesh itself committed are left out, so that the changelog does not tell of its own making.
 */
export function changelogSection({ commits, complete }: RepositoryHistory): string {
  const isTold = ({ isMerge, byMesh }: Commit): boolean => !isMerge && !byMesh;
  const told = commits.filter(isTold);
  const isConventional = told.filter(({ title }) => CONVENTIONAL.test(title)).length * 2 >= told.length;
  const releases = releasesOf(commits);
  const parts = releases.slice(0, MAX_RELEASES).flatMap(({ name, commits: all }) => {
    const own = all.filter(isTold);
    const body = isConventional ? grouped(own) : list(own.map((commit) => entryOf(commit)));
    if (name === '') return body === '' ? [] : [`## Unreleased\n\n${body}`];
    const head = `## ${name} (${new Date(all[0]?.at ?? 0).toISOString().slice(0, 10)})`;
    return [body === '' ? head : `${head}\n\n${body}`];
  });
  if (releases.length > MAX_RELEASES || !complete) parts.push('What came before is in the history of the repository.');
  return parts.join('\n\n');
}

function versionOf({ tags }: Commit): string | undefined {
  return tags.find((tag) => VERSION.test(tag));
}

/** From the latest back. */
function releasesOf(commits: readonly Commit[]): Release[] {
  const releases: Release[] = [{ name: '', commits: [] }];
  for (const commit of commits) {
    const version = versionOf(commit);
    if (version !== undefined) releases.push({ name: version, commits: [] });
    releases.at(-1)?.commits.push(commit);
  }
  return releases.filter(({ commits: own }) => own.length > 0);
}

function grouped(commits: readonly Commit[]): string {
  const groups = new Map<string, string[]>();
  for (const commit of commits) {
    const [, type = '', scope, breaking, text = ''] = CONVENTIONAL.exec(commit.title) ?? [];
    const kind = breaking === '!' ? 'Breaking' : KINDS[type.toLowerCase()];
    if (kind === undefined) continue;
    groups.set(kind, [...(groups.get(kind) ?? []), entryOf(commit, scope === undefined ? text : `${scope}: ${text}`)]);
  }
  return ORDER.flatMap((kind) => {
    const entries = groups.get(kind);
    return entries ? [`### ${kind}\n\n${list(entries)}`] : [];
  }).join('\n\n');
}

function entryOf({ commit, title }: Commit, text = title): string {
  return `- ${plain(text, 200)} (${commit.slice(0, 8)})`;
}

function list(entries: readonly string[]): string {
  const more = entries.length > MAX_ENTRIES ? [`- and ${entries.length - MAX_ENTRIES} more`] : [];
  return [...entries.slice(0, MAX_ENTRIES), ...more].join('\n');
}
