import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

interface Platforms {
  os?: string[];
  cpu?: string[];
}

type Versions = Record<string, string | { version: string }>;

interface Lockfile {
  importers: Record<string, { optionalDependencies?: Versions }>;
  packages: Record<string, Platforms>;
  snapshots: Record<string, { optionalDependencies?: Versions }>;
}

/** What the lockfile must have a build for, beside Linux on x64. */
const alsoFor = [
  { os: 'linux', cpu: 'arm64' },
  { os: 'darwin', cpu: 'arm64' },
];

/** Packages that work without their native part, only slower. */
const faster = new Set(['msgpackr-extract']);

/**
 * Every package with a build for Linux on x64 among its optional dependencies must have one for the other platforms
 * too; otherwise an install there ends without it, and nobody is told until it is called.
 *
 * @returns a line per build that is missing
 */
export function missingBuilds(text: string): string[] {
  const lockfile = parse(text) as Lockfile;
  const missing: string[] = [];
  const users = [...Object.entries(lockfile.importers), ...Object.entries(lockfile.snapshots)];
  for (const [user, { optionalDependencies = {} }] of users) {
    if (faster.has(user.replace(/(.)@.*$/, '$1'))) continue;
    const builds = Object.entries(optionalDependencies).map(([name, version]) => {
      const plain = (typeof version === 'string' ? version : version.version).replace(/\(.*$/, '');
      return lockfile.packages[`${name}@${plain}`] ?? {};
    });
    const has = (os: string, cpu: string): boolean =>
      builds.some((build) => build.os?.includes(os) === true && build.cpu?.includes(cpu) === true);
    if (!has('linux', 'x64')) continue;
    for (const { os, cpu } of alsoFor) {
      if (!has(os, cpu)) {
        missing.push(
          `${user === '.' ? 'package.json' : user} has no build for ${os} on ${cpu}: lock a version that has`,
        );
      }
    }
  }
  return missing;
}

/**
 * Versions are named once, in the catalog; packages say `catalog:` or `workspace:*`.
 *
 * @param manifests text of package.json files by path
 * @returns a line per dependency that names a version of its own
 */
export function ownVersions(manifests: Record<string, string>): string[] {
  const found: string[] = [];
  for (const [path, text] of Object.entries(manifests)) {
    const manifest = JSON.parse(text) as Record<string, Record<string, string> | undefined>;
    for (const kind of ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies']) {
      for (const [name, version] of Object.entries(manifest[kind] ?? {})) {
        if (version === 'catalog:' || version === 'workspace:*') continue;
        found.push(`${path}: ${name} is ${version}: name the version in pnpm-workspace.yaml and say "catalog:" here`);
      }
    }
  }
  return found;
}

/** Both checks on the clone at `root`, and that the lockfile names no registry. */
export function lockfileProblems(root: string): string[] {
  const text = readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8');
  const paths = globSync('{apps,libs}/*/package.json', { cwd: root });
  const manifests = Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
  const tarballs = text.split('\n').filter((line) => /\btarball: /.test(line));
  return [
    ...missingBuilds(text),
    ...ownVersions(manifests),
    ...tarballs.map((line) => `pnpm-lock.yaml names a server: ${line.trim()}: install with pnpm's default settings`),
  ];
}
