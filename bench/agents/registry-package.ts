import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A package as its registry hands it out. `hash` is what the registry says of it: SRI of npm, SHA-256 of PyPI (hex), h1 of Go. */
export interface RegistryPackage {
  readonly from: 'npm' | 'pypi-sdist' | 'go';
  readonly name: string;
  readonly version: string;
  readonly hash: string;
}

/**
 * Fetches an archive from the index that pip is set up for, and nothing else: `pip download` of a source distribution runs its build.
 */
const FETCH_SDIST = `
import html, re, subprocess, sys, urllib.parse, urllib.request
from pip._internal.models.index import PyPI
name, file, to = sys.argv[1:]
set_up = subprocess.run([sys.executable, '-m', 'pip', 'config', 'get', 'global.index-url'], capture_output=True, text=True)
page = (set_up.stdout.strip() or PyPI.simple_url).rstrip('/') + '/' + name + '/'
text = urllib.request.urlopen(page).read().decode()
links = [html.unescape(at) for at, said in re.findall(r'<a[^>]*href="([^"]+)"[^>]*>([^<]+)</a>', text) if said.strip() == file]
if not links: sys.exit(file + ' is not in the index')
urllib.request.urlretrieve(urllib.parse.urljoin(page, links[0]), to)
`;

/** The folder of a package below `cache`, fetched when it is not there. Throws when it is not what `hash` says. Nothing of it is run. */
export function fetchPackage(one: RegistryPackage, cache: string): string {
  const { from, name, version } = one;
  const folder = join(cache, `${from}-${name.replaceAll('/', '-')}-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, 'draft-'));
  try {
    const tree = join(draft, 'tree');
    mkdirSync(tree);
    if (from === 'go') fetchGo(one, draft, tree);
    else {
      const archive = from === 'npm' ? fetchNpm(one, draft) : fetchSdist(one, draft);
      execFileSync('tar', ['-xzf', archive, '-C', tree, '--strip-components', '1', '--no-same-owner']);
    }
    renameSync(tree, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

function hold(actual: string, { name, version, hash }: RegistryPackage): void {
  if (actual !== hash) throw new Error(`${name} ${version} is not what it was: ${actual} instead of ${hash}`);
}

const run = (cwd: string, command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

function fetchNpm(one: RegistryPackage, draft: string): string {
  run(draft, 'npm', 'pack', `${one.name}@${one.version}`, '--silent', '--ignore-scripts');
  const archive = join(draft, readdirSync(draft).find((file) => file.endsWith('.tgz')) ?? '');
  hold(`sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`, one);
  return archive;
}

function fetchSdist(one: RegistryPackage, draft: string): string {
  const archive = join(draft, 'sdist.tar.gz');
  run(draft, 'python3', '-c', FETCH_SDIST, one.name, `${one.name.replaceAll('-', '_')}-${one.version}.tar.gz`, archive);
  hold(createHash('sha256').update(readFileSync(archive)).digest('hex'), one);
  return archive;
}

function fetchGo(one: RegistryPackage, draft: string, tree: string): void {
  const said: unknown = JSON.parse(run(draft, 'go', 'mod', 'download', '-json', `${one.name}@${one.version}`));
  if (typeof said !== 'object' || said === null || !('Sum' in said) || !('Dir' in said))
    throw new Error(`go mod download says nothing of ${one.name}`);
  hold(String(said.Sum), one);
  cpSync(String(said.Dir), tree, { recursive: true });
  // What the module cache holds is read-only.
  run(draft, 'chmod', '-R', 'u+w', tree);
}
