import { spawn } from 'node:child_process';
import { chmodSync, closeSync, cpSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LOCKS = fileURLToPath(new URL('locks', import.meta.url));
const OWN_GO = fileURLToPath(new URL('go', import.meta.url));

/** Where a program comes from. Nothing is installed on the machine: all is unpacked or built within the cache folder. */
export type Recipe =
  /**
   * Packages of the machine's Debian, downloaded and unpacked; `ask`: its option that is answered with the version. Those that are libraries
   * are put on the loader's path. `file`: the name of the only program's file, where an installation would link to one of several.
   */
  | { readonly from: 'debian'; readonly packages: readonly string[]; readonly ask?: string; readonly file?: string }
  /** Wheels with these checksums alone: `lock` is a file of `locks/`. */
  | { readonly from: 'pypi'; readonly lock: string }
  /**
   * Built from the module's own source: `go install` refuses those that replace modules. `sum`: its checksum, as go.sum has it; what it
   * needs is held to its own go.sum.
   */
  | {
      readonly from: 'go';
      readonly module: string;
      readonly sum: string;
      readonly package: string;
      readonly program: string;
      /** Files that the build takes in and that the module leaves out, such as a web page that is built apart: made empty. */
      readonly empty?: readonly string[];
      /** Build constraints that hold, to leave out what nobody here needs. */
      readonly tags?: readonly string[];
      /** Modules that it takes from folders beside it, which its download leaves out: taken as published, by the version that it requires. */
      readonly published?: readonly string[];
      /** What it is asked for its version with, if not `--version`. */
      readonly ask?: string;
    }
  /** Built from a folder of `go/`: a few lines of ours over libraries, which are held to the go.sum beside them. */
  | { readonly from: 'own-go'; readonly folder: string; readonly program: string }
  | { readonly from: 'consul'; readonly sum: string }
  /** What only the machine itself can bring. */
  | { readonly from: 'machine'; readonly package: string };

export interface Kitchen {
  /** Of this peer, empty at first. */
  readonly folder: string;
  /** Shared by those that are built: modules and build results. */
  readonly shared: string;
  readonly version: string;
  /** Where what the commands print goes. */
  readonly log: string;
  readonly signal: AbortSignal;
  /** Of whoever asked. */
  readonly env: NodeJS.ProcessEnv;
}

/** What was obtained is not what it should be, or doesn't run: that is no reason to go without it. */
export class PeerBroken extends Error {}

/**
 * Obtains it; returns the path of each program. Rejects with what was missing, or with `PeerBroken` when a checksum differs or the first
 * program doesn't say its version.
 */
export async function obtain(
  recipe: Recipe,
  programs: readonly string[],
  kitchen: Kitchen,
): Promise<Map<string, string>> {
  const paths = await make(recipe, programs, kitchen);
  const ask = ('ask' in recipe ? recipe.ask : undefined) ?? '--version';
  const [first] = paths.values();
  if (first !== undefined)
    await run(first, [ask], kitchen).catch((error: unknown) => {
      if (kitchen.signal.aborted) throw error;
      throw new PeerBroken(
        `it was obtained and does not run: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
  return paths;
}

function make(recipe: Recipe, programs: readonly string[], kitchen: Kitchen): Promise<Map<string, string>> {
  switch (recipe.from) {
    case 'debian':
      return fromDebian(recipe, programs, kitchen);
    case 'pypi':
      return fromPypi(recipe.lock, programs, kitchen);
    case 'go':
      return fromGo(recipe, kitchen);
    case 'own-go':
      return fromOwnGo(recipe, kitchen);
    case 'machine':
      return Promise.reject(new Error(`install ${recipe.package}`));
    case 'consul':
      return buildConsul(recipe.sum, kitchen);
  }
}

async function fromDebian(
  { packages, file }: Extract<Recipe, { from: 'debian' }>,
  programs: readonly string[],
  kitchen: Kitchen,
) {
  const downloads = join(kitchen.folder, 'packages');
  const unpacked = join(kitchen.folder, 'root');
  mkdirSync(downloads, { recursive: true });
  // apt holds what it downloads to the signed lists of the distribution.
  const signed = ['-o', 'APT::Get::AllowUnauthenticated=false'];
  const download = () => run('apt-get', ['download', ...signed, ...packages], kitchen, { folder: downloads });
  // The lists of what there is may be old or missing; only root can renew them.
  await download().catch(async (error: unknown) => {
    if (process.getuid?.() !== 0) throw error;
    await run('apt-get', ['update'], kitchen);
    await download();
  });
  for (const name of readdirSync(downloads)) await run('dpkg-deb', ['-x', join(downloads, name), unpacked], kitchen);
  const libraries = join(unpacked, 'usr/lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`);
  return new Map(
    programs.map((program) => {
      const path = ['usr/bin', 'usr/sbin'].map((at) => join(unpacked, at, file ?? program)).find((at) => exists(at));
      if (path === undefined) throw new Error(`none of the packages ${packages.join(', ')} has a program ${program}`);
      const wrapper = join(kitchen.folder, program);
      // The others are where debootstrap and iptables look for their parts.
      const places = {
        LD_LIBRARY_PATH: libraries,
        DEBOOTSTRAP_DIR: join(unpacked, 'usr/share/debootstrap'),
        XTABLES_LIBDIR: join(libraries, 'xtables'),
      };
      const env = Object.entries(places).map(([name, place]) => `${name}='${place}'`);
      writeFileSync(wrapper, `#!/bin/sh\n${env.join(' ')} exec '${path}' "$@"\n`);
      chmodSync(wrapper, 0o755);
      return [program, wrapper];
    }),
  );
}

async function fromPypi(lock: string, programs: readonly string[], kitchen: Kitchen) {
  const venv = join(kitchen.folder, 'venv');
  const pip = join(venv, 'bin/pip');
  await run('python3', ['-m', 'venv', venv], kitchen);
  const locked = ['--require-hashes', '--no-deps', '--only-binary=:all:', '-r', join(LOCKS, lock)];
  await run(pip, ['install', '--quiet', '--disable-pip-version-check', ...locked], kitchen).catch((error: unknown) => {
    if (readFileSync(kitchen.log, 'utf8').includes('DO NOT MATCH THE HASHES'))
      throw new PeerBroken(`${lock} names other checksums than what came: was it made for this Python and processor?`);
    throw error;
  });
  return new Map(programs.map((program) => [program, join(venv, 'bin', program)]));
}

/** Refuses a module whose checksum, as go counted it, is not the one that the table of peers names. */
export function checkSum(module: string, came: string, sum: string): void {
  if (came !== sum) throw new PeerBroken(`${module} came with the checksum ${came}, not ${sum}`);
}

async function fromGo(
  { module, sum, package: main, program, empty = [], tags = [], published = [] }: Extract<Recipe, { from: 'go' }>,
  kitchen: Kitchen,
): Promise<Map<string, string>> {
  const source = join(kitchen.folder, 'source');
  const answer = await run('go', ['mod', 'download', '-json', `${module}@${kitchen.version}`], kitchen, {
    folder: kitchen.folder,
    env: goEnvironment(kitchen),
  });
  const { Dir: downloaded, Sum: came } = JSON.parse(answer) as { Dir: string; Sum: string };
  checkSum(module, came, sum);
  // What was downloaded can't be written, and its go.mod may need to be.
  cpSync(downloaded, source, { recursive: true });
  await run('chmod', ['-R', 'u+w', source], kitchen);
  for (const file of empty) {
    mkdirSync(dirname(join(source, file)), { recursive: true });
    writeFileSync(join(source, file), '');
  }
  for (const replaced of published)
    await run('go', ['mod', 'edit', `-dropreplace=${replaced}`], kitchen, {
      folder: source,
      env: goEnvironment(kitchen),
    });
  return build(source, main, program, kitchen, ['-tags', tags.join(',')]);
}

async function fromOwnGo({ folder, program }: Extract<Recipe, { from: 'own-go' }>, kitchen: Kitchen) {
  const source = join(kitchen.folder, 'source');
  cpSync(join(OWN_GO, folder), source, { recursive: true });
  // Nothing is added to go.mod and go.sum, so nothing comes that they don't name.
  return build(source, '.', program, kitchen, ['-mod=readonly']);
}

const CONSUL_MAIN = `package main

import (
	"os"

	mcli "github.com/mitchellh/cli"

	"github.com/hashicorp/consul/command"
	"github.com/hashicorp/consul/command/cli"
	_ "github.com/hashicorp/consul/service_os"
	"github.com/hashicorp/consul/version"
)

func main() {
	ui := &cli.BasicUI{BasicUi: mcli.BasicUi{Writer: os.Stdout, ErrorWriter: os.Stderr}}
	app := &mcli.CLI{Version: version.GetHumanVersion(), Args: os.Args[1:], Commands: command.RegisteredCommands(ui), HelpFunc: mcli.BasicHelpFunc("consul"), HelpWriter: os.Stdout, ErrorWriter: os.Stderr}
	code, err := app.Run()
	if err != nil {
		ui.Error(err.Error())
		code = 1
	}
	os.Exit(code)
}
`;

/** Consul's module can't be a main module outside its repository, so its command line is called from a few lines of ours. */
async function buildConsul(sum: string, kitchen: Kitchen): Promise<Map<string, string>> {
  const source = join(kitchen.folder, 'source');
  mkdirSync(source, { recursive: true });
  const env = { ...goEnvironment(kitchen), GONOSUMDB: 'github.com/hashicorp/consul/*' };
  const go = (...args: string[]) => run('go', args, kitchen, { folder: source, env });
  writeFileSync(join(source, 'main.go'), CONSUL_MAIN);
  await go('mod', 'init', 'devmesh.local/consul');
  const module = `github.com/hashicorp/consul@${kitchen.version}`;
  const answer = JSON.parse(await go('mod', 'download', '-json', module)) as {
    GoMod: string;
    Dir: string;
    Sum: string;
  };
  checkSum(module, answer.Sum, sum);
  // What it needs is held to the checksums that it ships; the database of Go has those of whatever is beside them.
  cpSync(join(answer.Dir, 'go.sum'), join(source, 'go.sum'));
  await run('chmod', ['u+w', join(source, 'go.sum')], kitchen);
  await go('mod', 'edit', `-require=${module}`);
  for (const excluded of exclusions(readFileSync(answer.GoMod, 'utf8')))
    await go('mod', 'edit', `-exclude=${excluded}`);
  await go('mod', 'tidy');
  return build(source, '.', 'consul', kitchen);
}

/** The `exclude` lines of a go.mod, as `module@version`. */
export function exclusions(goMod: string): string[] {
  const blocks = [...goMod.matchAll(/^exclude\s*\(([^)]*)\)/gm)].flatMap(([, block = '']) => block.split('\n'));
  const single = [...goMod.matchAll(/^exclude\s+([^\s(]+\s+\S+)/gm)].map(([, line = '']) => line);
  return [...blocks, ...single]
    .map((line) =>
      line
        .replace(/\/\/.*/, '')
        .trim()
        .split(/\s+/),
    )
    .filter((parts) => parts.length === 2)
    .map(([module, version]) => `${module}@${version}`);
}

async function build(
  source: string,
  main: string,
  program: string,
  kitchen: Kitchen,
  flags: readonly string[] = [],
): Promise<Map<string, string>> {
  const path = join(kitchen.folder, program);
  const env = { ...goEnvironment(kitchen), CGO_ENABLED: '0' };
  const args = ['build', ...flags, '-trimpath', '-ldflags', '-s -w', '-o', path, main];
  await run('go', args, kitchen, { folder: source, env });
  return new Map([[program, path]]);
}

function goEnvironment({ shared, env }: Kitchen): NodeJS.ProcessEnv {
  return {
    ...env,
    GOPATH: join(shared, 'go'),
    GOCACHE: join(shared, 'go-build'),
    GOFLAGS: '-mod=mod -modcacherw',
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
  };
}

/** Returns what it printed on standard output. Rejects with the end of what it said. */
async function run(
  program: string,
  args: readonly string[],
  { log, signal, env }: Kitchen,
  options: { readonly folder?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const errors = openSync(log, 'a');
  try {
    return await new Promise<string>((resolve, reject) => {
      const child = spawn(program, args, {
        cwd: options.folder,
        env: options.env ?? env,
        stdio: ['ignore', 'pipe', errors],
        signal,
      });
      let output = '';
      child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
      let failed = false;
      child.once('error', (error) => {
        failed = true;
        reject(
          'code' in error && error.code === 'ENOENT' ? new Error(`there is no ${program} on this machine`) : error,
        );
      });
      child.once('close', (code) => {
        // Of one that did not begin, too: by then its log may be gone.
        if (failed) return;
        if (code === 0) resolve(output);
        else reject(new Error(`${[program, ...args].join(' ').slice(0, 200)} ended with ${code}: ${lastLine(log)}`));
      });
    });
  } finally {
    closeSync(errors);
  }
}

function lastLine(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '';
}

function exists(path: string): boolean {
  try {
    readFileSync(path, { flag: 'r' });
    return true;
  } catch {
    return false;
  }
}
