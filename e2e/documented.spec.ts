import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import { ScriptedForge } from '@devmesh/testing/scripted-forge';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { consoleBlocks, type DocumentedCommand, type Reason } from '@devmesh/testing/documentation';
import { Devmesh, type RunResult } from './support/devmesh.js';
import { forgeSettings, serveSmallRepository } from './support/forge.js';

/** What may be marked, by what is in the command: anything else has to be executed. */
const MAY_BE_MARKED: Readonly<Record<Reason, RegExp>> = {
  'needs the cloud': /^(tofu|terraform|doctl|ssh) | --host ADDRESS/,
  'takes long': /^\.\/devmesh test\b| bench\//,
  'needs a machine of its own': /^systemctl start |^deploy\/debug-agent\.sh/,
};
/** Commands that end with another exit code than 0, as the text beside them says. */
const ENDS_WITH: Readonly<Record<string, number>> = {
  // A review that finds something rejects.
  'devmesh review': 1,
  // A mesh for tests is none for production.
  './devmesh doctor --production': 1,
};

const checkout = inject('clone');
const documents = globSync(['README.md', 'docs/**/*.md'], { cwd: checkout }).toSorted();
const blocks = documents.flatMap((file) =>
  consoleBlocks(readFileSync(join(checkout, file), 'utf8')).map((commands) => ({ file, commands })),
);
const all = blocks.flatMap(({ commands }) => commands);
const isExecuted = ({ marked }: DocumentedCommand): boolean => marked === null;
const bare = ({ text }: DocumentedCommand): string => text.replace(/\s+#.*$/, '');

/** Where a block is executed. */
interface Scene {
  readonly devmesh: Devmesh;
  /** The clone, where not given. */
  readonly folder?: string;
  /** Names that documents use for what a reader has, and what there is instead. */
  readonly standIns?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** With users, units and programs of its own: what is changed in /etc and /opt is changed there alone. */
  readonly ownMachine?: boolean;
}

/** Puts other folders in the place of those that are changed, for this process and what it starts. */
const OWN_MACHINE = `
set -e
there=$(mktemp -d -p "$TMPDIR")
mkdir "$there/opt"
cp -a /etc "$there/etc"
mkdir -p "$there/etc/systemd/system"
for folder in etc opt; do mount --bind "$there/$folder" "/$folder"; done
set +e
`;
/** A clone that sets itself up while the machine does other things. */
const SLOWEST_MS = 400_000;
/** Whether a process here may have an /etc and an /opt of its own: as root, where that may make namespaces. */
const hasOwnMachine = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;

/** A copy of the clone that documents may change; files of packages, which nothing changes, are shared by links. */
function copyOf(clone: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'devmesh documented '));
  for (const name of readdirSync(clone)) {
    if (name === '.devmesh') continue;
    if (name === 'node_modules') execFileSync('cp', ['-al', join(clone, name), folder]);
    else cpSync(join(clone, name), join(folder, name), { recursive: true, verbatimSymlinks: true });
  }
  return folder;
}

describe('the commands in README.md and docs/', () => {
  let clone: string;
  let mesh: Devmesh;
  let forge: ScriptedForge;
  let served: string;
  let reviewed: string;
  const meshes: Devmesh[] = [];
  let done = 0;
  const make = async (env: Readonly<Record<string, string>> = {}): Promise<Devmesh> => {
    const made = await Devmesh.make(clone, env);
    meshes.push(made);
    return made;
  };

  beforeAll(async () => {
    clone = copyOf(checkout);
    forge = new ScriptedForge();
    served = await serveSmallRepository(forge);
    reviewed = makeRepository([
      [
        'src/run.ts',
        "import { exec } from 'node:child_process';\nexport const run = (name: string) => exec('ls ' + name);\n",
      ],
    ]);
    mesh = await make(forgeSettings(forge));
    mkdirSync(join(mesh.folder, 'backups'));
    writeFileSync(join(mesh.folder, 'backup.key'), `${'5a'.repeat(32)}\n`, { mode: 0o600 });
    expect(await mesh.run(['up', '--quiet'])).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    for (const one of meshes) await one.remove();
    await forge.stop();
    removeAll(served, reviewed);
    rmSync(clone, { recursive: true, force: true });
    const count = (reason: Reason): number => all.filter(({ marked }) => marked?.reason === reason).length;
    const marked = (Object.keys(MAY_BE_MARKED) as Reason[]).map((reason) => `${count(reason)} ${reason}`).join(', ');
    console.log(`documented commands: ${all.length}; ${done} executed, ${marked}`);
  });

  /** What a block is given: a mesh that is up, with what the text before it has made; one that was never up where it says so. */
  async function sceneOf(file: string, commands: readonly DocumentedCommand[]): Promise<Scene> {
    const says = (word: string): boolean => commands.some(({ text }) => text.includes(word));
    if (file === 'docs/backup-and-recovery.md') {
      const backups = join(mesh.folder, 'backups');
      const key = join(mesh.folder, 'backup.key');
      const standIns = {
        '/mnt/backups': `'${backups}'`,
        '/etc/devmesh/backup.key': `'${key}'`,
        ' backup.key': ` '${key}'`,
      };
      if (says('restore') || says('drill'))
        for (const where of [[], ['--target', backups, '--key-file', key]])
          expect(await mesh.run(['backup', ...where])).toMatchObject({ code: 0 });
      return { devmesh: says('a fresh mesh') ? await make() : mesh, standIns };
    }
    if (says('/opt/devmesh')) {
      const env = {
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: `url.file://${clone}.insteadOf`,
        GIT_CONFIG_VALUE_0: 'https://github.com/example/devmesh',
        // What packages were got already need not be got again.
        HOME: homedir(),
        SYSTEMD_OFFLINE: '1',
      };
      return { devmesh: mesh, ownMachine: true, env };
    }
    if (file === 'docs/deployment.md') {
      const standIns = {
        'https://devmesh.example.org': mesh.gateway,
        '--key-file key': `--key-file '${mesh.home}/api-key'`,
        ' URL': ` ${forge.readable}`,
      };
      return { devmesh: mesh, standIns };
    }
    if (file === 'docs/mcp.md') {
      const { run } = (await mesh.json<RunResult>(['run', '--repo', served, '--workflow', 'review'])).data;
      const standIns = {
        '.devmesh/api-key': `'${mesh.home}/api-key'`,
        'http://127.0.0.1:8000': mesh.gateway,
        'https://example.com/owner/name.git': forge.readable,
        '"RUN"': `"${run.id}"`,
      };
      return { devmesh: mesh, standIns };
    }
    if (file === 'README.md' || file === 'docs/vscode-remote.md') return { devmesh: await make() };
    if (file !== 'docs/review.md') return { devmesh: mesh };
    if (!says('finding')) return { devmesh: mesh, folder: reviewed };
    const { run } = (await mesh.json<RunResult>(['run', '--repo', reviewed, '--workflow', 'review'])).data;
    const { findings } = (await mesh.json<{ findings: { fingerprint: string }[] }>(['finding', 'list', run.id])).data;
    return { devmesh: mesh, folder: reviewed, standIns: { '3fa2b1c4': findings[0]?.fingerprint ?? 'none' } };
  }

  it('are found, and no more of them marked than can not be executed here', () => {
    expect(blocks.length).toBeGreaterThan(10);
    for (const command of all)
      if (command.marked !== null) expect(bare(command)).toMatch(MAY_BE_MARKED[command.marked.reason]);
  });

  const executed = blocks
    .map(({ file, commands }) => ({ file, commands: commands.filter(isExecuted) }))
    .filter(({ commands }) => commands.length > 0)
    .map((block) => ({ ...block, at: `${block.file}:${block.commands[0]?.line}` }));

  it.for(executed)('$at', { timeout: SLOWEST_MS }, async ({ file, commands }, { skip }) => {
    const {
      devmesh,
      folder = clone,
      standIns = {},
      env: more = {},
      ownMachine = false,
    } = await sceneOf(file, commands);
    const script = commands.map((command) => {
      let text = bare(command);
      for (const [name, there] of Object.entries(standIns)) text = text.replaceAll(name, there);
      return `${text}\necho "$?" >>"$EXITS"\n`;
    });
    if (ownMachine && !hasOwnMachine) skip('nobody here can give a process an /etc and an /opt of its own');
    const exits = join(devmesh.folder, 'exits');
    rmSync(exits, { force: true });
    const environment = devmesh.environment({ EXITS: exits, ...more });
    const said = await new Promise<string>((resolve) => {
      // Whoever sets a machine up has its programs for that, which are not on every PATH.
      const env = { ...environment, PATH: `${clone}:${environment['PATH']}${ownMachine ? ':/usr/sbin:/sbin' : ''}` };
      const text = (ownMachine ? OWN_MACHINE : '') + script.join('');
      const [program, args] = ownMachine ? ['unshare', ['--mount', 'bash']] : ['bash', []];
      execFile(program, [...args, '-c', text], { cwd: folder, env }, (_, stdout, stderr) => resolve(stdout + stderr));
    });
    const ended = readFileSync(exits, 'utf8').trim().split('\n').map(Number);
    done += ended.length;
    // A tool that refuses says so in an answer like any other.
    expect(said).not.toMatch(/"isError": ?true|"error": ?\{/);
    expect(
      commands.map((command, at) => [bare(command), ended[at]]),
      said,
    ).toEqual(commands.map((command) => [bare(command), ENDS_WITH[bare(command)] ?? 0]));
  });
});
