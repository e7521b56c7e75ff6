import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@devmesh/testing/free-ports';
import { programPath } from '@devmesh/testing/peers';

/** A real OpenSSH server on the loopback, with a home and a PATH of its own for whoever logs in. */
export interface SshServer {
  readonly user: string;
  readonly port: number;
  /** Private key that it lets in. */
  readonly identity: string;
  /** File with its host key. */
  readonly knownHosts: string;
  /** Everything of it; `bin` is first on the PATH of those who log in. */
  readonly folder: string;
  stop(): Promise<void>;
}

/** `sshd` of the PATH. As root it wants a user of its own, which libnss-wrapper makes up where the machine has none. */
export async function startSshServer(): Promise<SshServer> {
  const folder = mkdtempSync(join(tmpdir(), 'devmesh-ssh-'));
  const at = (name: string): string => join(folder, name);
  for (const name of ['bin', 'home']) mkdirSync(at(name));
  for (const name of ['host-key', 'identity'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', at(name)]);
  const port = await freePort();
  const publicKey = (name: string): string => execFileSync('ssh-keygen', ['-y', '-f', at(name)]).toString();
  writeFileSync(at('authorized_keys'), publicKey('identity'));
  writeFileSync(at('known_hosts'), `[127.0.0.1]:${port} ${publicKey('host-key')}`);
  const settings = [
    'ListenAddress 127.0.0.1',
    `Port ${port}`,
    `HostKey ${at('host-key')}`,
    `AuthorizedKeysFile ${at('authorized_keys')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'PermitRootLogin prohibit-password',
    `SetEnv PATH=${at('bin')}:/usr/local/bin:/usr/bin:/bin FAKE=${at('docker-state')}`,
  ];
  writeFileSync(at('sshd_config'), `${settings.join('\n')}\n`);
  const user = userInfo().username;
  // It calls itself anew, and wants to be called by its full path for that.
  const child = spawn(programPath('sshd') ?? 'sshd', ['-D', '-e', '-f', at('sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...(process.getuid?.() === 0 ? accounts(folder) : {}) },
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 250 || child.exitCode !== null) throw new Error(`sshd does not listen: ${said}`);
    await delay(20);
  }
  return {
    user,
    port,
    identity: at('identity'),
    knownHosts: at('known_hosts'),
    folder,
    async stop() {
      child.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Root logs in to the home of the test, with a plain shell; and there is a user sshd. */
function accounts(folder: string): Record<string, string> {
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  chmodSync('/run/sshd', 0o755);
  const passwd = join(folder, 'passwd');
  const group = join(folder, 'group');
  writeFileSync(
    passwd,
    `root:x:0:0:root:${join(folder, 'home')}:/bin/sh\nsshd:x:65533:65534:sshd:/run/sshd:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`,
  );
  writeFileSync(group, 'root:x:0:\nnogroup:x:65534:\n');
  return { LD_PRELOAD: 'libnss_wrapper.so', NSS_WRAPPER_PASSWD: passwd, NSS_WRAPPER_GROUP: group };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
