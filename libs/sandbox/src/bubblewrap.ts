import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxLimits } from './outcome.js';

/** Where the command finds things. */
export const INSIDE = { source: '/source', work: '/work', node: '/opt/node', home: '/tmp/home' } as const;

/** The file descriptor on which the inside says that all is ready: whatever ends before has not been the command. */
export const READY_FD = 3;

const SYSTEM_LINKS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64'];
/** Of /etc only what programs of /usr can't do without; nothing in it is secret on any machine. */
const SYSTEM_SETTINGS = ['/etc/alternatives', '/etc/ld.so.cache', '/etc/localtime', '/etc/mime.types'];

/** Address space that a process of Node.js or Java reserves as its own and never touches: about 600 MB. */
const RESERVED_BYTES = 1024 ** 3;

/** Files of /etc that are written anew: those of the machine name its users and its network. */
const ACCOUNTS = ['passwd', 'group', 'hosts'];

export interface Cell {
  /** Absolute; copied inside, and never written. */
  readonly folder: string;
  /** Of the work copy, where the command starts; "." is its root. */
  readonly within: string;
  readonly command: readonly string[];
  readonly limits: SandboxLimits;
  /** Beside PATH, HOME and the like. */
  readonly env: Readonly<Record<string, string>>;
  /** A Node.js that is lent. */
  readonly node: string;
  /** A folder with `ACCOUNTS`. */
  readonly accounts: string;
  /**
   * Whose the processes are; null for those of the caller. Only root may choose, and must: the kernel does not count root's processes.
   */
  readonly uid: number | null;
}

/** The arguments of bubblewrap. What is not named here does not exist inside. */
export async function bubblewrapArgs(cell: Cell): Promise<string[]> {
  const { limits, uid } = cell;
  const variables = {
    PATH: `${INSIDE.node}:/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin`,
    HOME: INSIDE.home,
    TMPDIR: '/tmp',
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    CI: 'true',
    ...cell.env,
  };
  const tmpfs = (path: string, mode: string): string[] => [
    '--perms',
    mode,
    '--size',
    String(limits.diskBytes),
    '--tmpfs',
    path,
  ];
  const groups: readonly (readonly string[])[] = [
    ['--die-with-parent', '--new-session', '--hostname', 'sandbox'],
    ['--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--cap-drop', 'ALL'],
    // Root takes a user of its own inside, below; everybody else is nobody, in a user namespace that can have no other in it.
    uid === null
      ? ['--unshare-user', '--disable-userns', '--uid', '65534', '--gid', '65534']
      : ['CAP_CHOWN', 'CAP_SETUID', 'CAP_SETGID'].flatMap((one) => ['--cap-add', one]),
    ['--ro-bind', '/usr', '/usr'],
    ...(await Promise.all(SYSTEM_LINKS.map(systemFolder))),
    // Folders that bubblewrap makes on the way to a mount are closed to others.
    ...['/etc', '/opt', INSIDE.node].map((path) => ['--perms', '0755', '--dir', path]),
    ...ACCOUNTS.map((name) => ['--ro-bind', join(cell.accounts, name), `/etc/${name}`]),
    ...(await settings()).map((path) => ['--ro-bind-try', path, path]),
    ['--ro-bind', cell.node, `${INSIDE.node}/node`],
    ['--proc', '/proc', '--dev', '/dev'],
    tmpfs('/dev/shm', '1777'),
    tmpfs('/tmp', '1777'),
    tmpfs(INSIDE.work, '0755'),
    ['--ro-bind', cell.folder, INSIDE.source],
    // What holds all this are file systems in memory without a bound of their own.
    ['--remount-ro', '/dev', '--remount-ro', '/', '--clearenv'],
    ...Object.entries(variables).map(([name, value]) => ['--setenv', name, value]),
    ['--chdir', '/', '--', '/bin/sh', '-c', script(cell), 'sh', cell.within, ...cell.command],
  ];
  return groups.flat();
}

/** What stands between bubblewrap and the command: fills the work copy, takes away what is left of power, sets the limits. */
function script({ limits, uid }: Cell): string {
  const seconds = Math.ceil(limits.wallMs / 1000);
  const bounds = [
    `--nproc=${limits.processes}`,
    // Second nets: the one who watches from outside ends it before, and can say why.
    `--cpu=${limits.cpuSeconds + 5}`,
    `--data=${limits.memoryBytes + RESERVED_BYTES}`,
    `--fsize=${limits.diskBytes}`,
    '--core=0',
    '--nofile=1024',
  ].join(' ');
  return [
    'set -e',
    `cp -R -P -p ${INSIDE.source}/. ${INSIDE.work}/`,
    `mkdir ${INSIDE.home}`,
    ...(uid === null ? [] : [`chown -R -h ${uid}:${uid} ${INSIDE.work} ${INSIDE.home}`]),
    // Where the machine runs out of memory all the same, this goes first.
    'echo 1000 > /proc/self/oom_score_adj',
    `at="${INSIDE.work}/$1"`,
    'shift',
    `printf r >&${READY_FD}`,
    `exec ${READY_FD}>&- 2>&1`,
    [
      'exec',
      ...(uid === null ? [] : [`setpriv --reuid ${uid} --regid ${uid} --clear-groups --inh-caps=-all --no-new-privs`]),
      `prlimit ${bounds}`,
      // Only who it belongs to by now may enter it.
      `env -C "$at" timeout -s KILL ${seconds + 10} "$@"`,
    ].join(' '),
  ].join('\n');
}

async function systemFolder(path: string): Promise<string[]> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSymbolicLink() === true) return ['--symlink', await readlink(path), path];
  return found?.isDirectory() === true ? ['--ro-bind', path, path] : [];
}

/** Settings of the system that are lent; those of Java among them, without which it does not start. */
async function settings(): Promise<string[]> {
  const java = (await readdir('/etc').catch(() => [])).filter((name) => /^java-[\w.-]+$/.test(name));
  return [...SYSTEM_SETTINGS, ...java.map((name) => `/etc/${name}`)];
}
