import { cpSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

/*
 * node deploy/docker/collect.ts OUT SBOM     of a clone that is built and has its production packages alone, and whose bills of
 * materials are in the folder SBOM (tools/containers/sbom.ts):
 *   OUT/shared    packages, libraries, workflows and configuration: the base of all images
 *   OUT/apps/X    what service X adds
 * Sources, tests and types stay behind.
 */
const [, , out, sboms] = process.argv;
if (out === undefined || sboms === undefined)
  throw new Error('where to, and of what: node deploy/docker/collect.ts OUT SBOM');
const NEEDLESS =
  /(\.d\.ts|\.d\.ts\.map|\.d\.mts|\.d\.cts|\.tsbuildinfo|\.spec\.js|\.spec\.js\.map|\.conformance\.js|\.conformance\.js\.map|\.md|\.markdown)$/;

/** Node itself comes with the base. */
const isNode = (name: string): boolean => /^(node-(linux|darwin)-|node-bin-)/.test(name);

function copy(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, filter: wanted });
}

function wanted(path: string): boolean {
  const name = basename(path);
  if (isNode(name)) return false;
  const inPackages = path.includes('node_modules');
  if (!inPackages && (name === 'testing' || name === 'src')) return false;
  // The compiler that safe fixes are checked with reads its own declarations.
  if (/\/lib\/lib\.(\w+\.)*d\.ts$/.test(path)) return true;
  return statSync(path, { throwIfNoEntry: false })?.isFile() !== true || !NEEDLESS.test(name);
}

function copyRoom(from: string, to: string): void {
  for (const name of ['package.json', 'dist', 'node_modules']) {
    const path = join(from, name);
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) copy(path, join(to, name));
  }
}

const shared = join(out, 'shared');
mkdirSync(shared, { recursive: true });
copy('node_modules', join(shared, 'node_modules'));
for (const folder of ['workflows', 'config']) copy(folder, join(shared, folder));
for (const name of ['LICENSE', 'package.json'])
  if (statSync(name, { throwIfNoEntry: false }) !== undefined) copy(name, join(shared, name));
for (const lib of readdirSync('libs')) if (lib !== 'testing') copyRoom(join('libs', lib), join(shared, 'libs', lib));
for (const app of readdirSync('apps')) {
  if (app === 'cli') continue;
  copyRoom(join('apps', app), join(out, 'apps', app));
  cpSync(join(sboms, `devmesh-${app}.cdx.json`), join(out, 'apps', app, 'sbom.cdx.json'));
}

// What links to packages that were left out.
rmSync(join(shared, 'node_modules/.modules.yaml'), { force: true });
rmSync(join(shared, 'node_modules/.cache'), { recursive: true, force: true });
