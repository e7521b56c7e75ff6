import { spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { programPath } from '@devmesh/testing/peers';
import { run, type Said } from '../../deployment/testing/programs.ts';

const BRIDGE = 'devmesh-tests';
const OWN_BRIDGE = ['FORWARD', '--in-interface', BRIDGE, '--out-interface', BRIDGE, '--jump', 'ACCEPT'];

/**
 * A Docker engine of the tests' own: its socket, data and processes are in one folder, and gone at the end. It leaves the machine's bridges
 * and its rules for packets to the machine's own engine, if there is one: its containers have one bridge of a name of their own (`network`), on
 * which they reach each other; they are reached at published ports, and get nowhere else. A build that downloads takes the machine's network.
 */
export class Engine {
  readonly folder: string;
  /** A compose file that puts a project's network on that bridge. */
  readonly network: string;
  readonly #process: ChildProcess;
  /** A client that can do what an engine of today's builds want. */
  readonly #client: string;

  private constructor(folder: string, process: ChildProcess, client: string) {
    this.folder = folder;
    this.network = join(folder, 'network.yml');
    writeFileSync(
      this.network,
      `networks: { default: { driver_opts: { com.docker.network.bridge.name: ${BRIDGE} } } }\n`,
    );
    this.#process = process;
    this.#client = client;
  }

  /** Rejects with the reason when this machine can't run one, in the engine's own words: not root, no overlay file system, no bridges. */
  static async start(): Promise<Engine> {
    if (process.getuid?.() !== 0) throw new Error('only root can run one');
    const folder = mkdtempSync(join(tmpdir(), 'devmesh-engine-'));
    const at = (name: string): string => join(folder, name);
    const places = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')];
    const nothingOfTheMachine = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'];
    const log = openSync(at('log'), 'w');
    const child = spawn('dockerd', ['--host', `unix://${at('sock')}`, ...places, ...nothingOfTheMachine], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    let gone: string | undefined;
    child.once('error', (error) => (gone = error.message));
    child.once('exit', (code, signal) => {
      gone ??= `dockerd ended with ${code ?? signal}: ${readFileSync(at('log'), 'utf8').trimEnd().split('\n').at(-1)}`;
    });
    const engine = new Engine(folder, child, await client());
    for (let waited = 0; ; waited += 200) {
      if (gone === undefined && (await engine.docker('version')).code === 0) {
        await engine.#openBridge();
        return engine;
      }
      if (gone !== undefined || waited > 60_000) {
        await engine.stop();
        throw new Error(gone ?? 'dockerd does not answer');
      }
      await delay(200);
    }
  }

  /** An engine of the machine's drops what any bridge carries that is not its own. */
  async #openBridge(): Promise<void> {
    const said = await run('iptables', ['--wait', '--insert', ...OWN_BRIDGE]);
    if (said.code === 0) return;
    await this.stop();
    throw new Error(`no rule for a bridge can be set: ${said.text}`);
  }

  get env(): Record<string, string> {
    return { DOCKER_HOST: `unix://${join(this.folder, 'sock')}`, DOCKER_BUILDKIT: '1' };
  }

  docker(...args: string[]): Promise<Said> {
    return run(this.#client, args, { env: this.env });
  }

  /** As `docker`; rejects when it fails. */
  async done(...args: string[]): Promise<string> {
    const { code, text } = await this.docker(...args);
    if (code !== 0) throw new Error(`docker ${args.join(' ')} ended with ${code}: ${text.slice(-2_000)}`);
    return text;
  }

  /**
   * An image like Node's own, under its name: Debian by debootstrap, the Node of this clone and the npm of this machine, with what this
   * machine trusts.
   */
  async makeBase(name: string): Promise<void> {
    const tree = join(this.folder, 'base');
    const made = await run('debootstrap', ['--variant=minbase', '--include=ca-certificates', 'bookworm', tree]);
    if (made.code !== 0) throw new Error(`debootstrap ended with ${made.code}: ${made.text.slice(-500)}`);
    const local = join(tree, 'usr/local');
    cpSync(process.execPath, join(local, 'bin/node'));
    mkdirSync(join(local, 'lib/node_modules'), { recursive: true });
    cpSync(npmFolder(), join(local, 'lib/node_modules/npm'), { recursive: true });
    for (const program of ['npm', 'npx'])
      symlinkSync(`../lib/node_modules/npm/bin/${program}-cli.js`, join(local, 'bin', program));
    const certificates = '/etc/ssl/certs/ca-certificates.crt';
    if (existsSync(certificates)) cpSync(certificates, join(tree, certificates));
    const archive = join(this.folder, 'base.tar');
    const packed = await run('tar', ['-C', tree, '-cf', archive, '.']);
    if (packed.code !== 0) throw new Error(packed.text);
    await this.done(
      'import',
      '--change',
      `ENV NODE_EXTRA_CA_CERTS=${certificates}`,
      '--change',
      'CMD ["node"]',
      archive,
      name,
    );
    rmSync(archive);
    rmSync(tree, { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      // Bridges outlive an engine that ends.
      await this.docker('network', 'prune', '--force');
      await run('iptables', ['--wait', '--delete', ...OWN_BRIDGE]);
      const gone = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.kill('SIGTERM');
      await gone;
    }
    await run('sh', ['-c', `awk '$2 ~ "^${this.folder}/" { print $2 }' /proc/mounts | sort -r | xargs -r umount -l`]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Of the clients on the PATH and in the place of Debian's, one that can build with BuildKit. */
async function client(): Promise<string> {
  for (const candidate of ['docker', '/usr/bin/docker']) {
    const version = await run(candidate, ['version', '--format', '{{.Client.Version}}']).catch(() => null);
    if (version === null) continue;
    // Since 23 it builds by a plugin.
    if (Number.parseInt(version.text, 10) < 23 || (await run(candidate, ['buildx', 'version'])).code === 0)
      return candidate;
  }
  throw new Error('no client of Docker here can build with BuildKit');
}

function npmFolder(): string {
  const npm = programPath('npm');
  if (npm === undefined) throw new Error('there is no npm on the PATH');
  return dirname(dirname(join(dirname(npm), readlinkSync(npm))));
}
