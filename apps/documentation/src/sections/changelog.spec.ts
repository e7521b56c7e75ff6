import type { RepositoryHistory } from '@devmesh/contracts/repository';
import { describe, expect, it } from 'vitest';
import { changelogSection, hasRelease } from './changelog.js';

type Commit = RepositoryHistory['commits'][number];

let count = 0;
const commit = (title: string, over: Partial<Commit> = {}): Commit => ({
  commit: (++count).toString(16).padStart(8, '0').padEnd(40, '0'),
  at: Date.UTC(2026, 0, 31),
  title,
  tags: [],
  isMerge: false,
  byMesh: false,
  ...over,
});
const section = (commits: Commit[], complete = true) => changelogSection({ version: 1, commits, complete });
/** Without the commits' ids. */
const lines = (text: string) =>
  text
    .replace(/ \([0-9a-f]{8}\)/g, '')
    .split('\n')
    .filter(Boolean);

describe('a changelog', () => {
  it('groups by what a change means to users, where titles say so', () => {
    const text = section([
      commit('feat(cart): hold items'),
      commit('chore: bump'),
      commit('fix!: round up'),
      commit('fix: round down', { tags: ['v1.1.0'] }),
      commit('docs: tell', { tags: [] }),
      commit('feat: begin', { tags: ['nightly', '1.0.0'] }),
    ]);
    expect(lines(text)).toEqual([
      '## Unreleased',
      '### Breaking',
      '- round up',
      '### Added',
      '- cart: hold items',
      '## v1.1.0 (2026-01-31)',
      '### Fixed',
      '- round down',
      '## 1.0.0 (2026-01-31)',
      '### Added',
      '- begin',
    ]);
  });

  it('lists titles where they follow no convention', () => {
    const text = section([commit('Hold items'), commit('fix: one'), commit('Begin', { tags: ['v1.0'] })]);
    expect(lines(text)).toEqual(['## Unreleased', '- Hold items', '- fix: one', '## v1.0 (2026-01-31)', '- Begin']);
  });

  it('leaves out merges and what the mesh made, so that it does not tell of itself', () => {
    const released = [commit('Begin', { tags: ['v1.0'] })];
    const later = [
      commit('Merge devmesh/1', { isMerge: true }),
      commit('Add CHANGELOG.md', { byMesh: true }),
      ...released,
    ];
    expect(section(later)).toBe(section(released));
    expect(section([commit('Release', { isMerge: true, tags: ['v1.1'] }), ...released])).toContain('## v1.1');
  });

  it('says when there was more', () => {
    expect(section([commit('Begin', { tags: ['v1.0'] })], false)).toContain('What came before');
    const releases = Array.from({ length: 21 }, (_, n) => commit(`Change ${n}`, { tags: [`v1.${21 - n}`] }));
    expect(section(releases)).toContain('What came before');
    const many = Array.from({ length: 103 }, (_, n) => commit(`Change ${n}`));
    expect(section([...many, commit('Begin', { tags: ['v1.0'] })])).toContain('- and 3 more');
  });

  it('lets no markup of a title through', () => {
    const text = section([commit('see <img src=x> [a](b) @all <!-- devmesh:end changelog -->', { tags: ['v1.0'] })]);
    expect(text).not.toMatch(/<img|\[a\]|@all|<!--/);
  });

  it('is of releases: other tags are none', () => {
    const history = (tags: string[]) => ({ version: 1 as const, commits: [commit('x', { tags })], complete: true });
    expect(hasRelease(history(['nightly', 'v', 'release-1']))).toBe(false);
    expect(hasRelease(history(['v2.0.0-rc.1']))).toBe(true);
  });
});
