import { constants } from 'node:fs';
import { open, readFile, stat, type FileHandle } from 'node:fs/promises';
import { DevmeshError } from '@devmesh/contracts/errors';

/** Who PostgreSQL runs as. Null: as this process's own user. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/** In this order; the first that the machine has. Every Linux image has the last two. */
const CANDIDATES = ['devmesh', 'postgres', 'nobody', 'daemon'];

async function accounts(): Promise<Account[]> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name === undefined || uid === undefined || gid === undefined
      ? []
      : [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

/**
 * PostgreSQL refuses to run as root. For root: the owner of the cluster that is there, else an account without rights.
 * `initdb` wants the account to have a name.
 */
export async function postgresAccount(dataDir: string): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const known = await accounts();
  const owner = await stat(dataDir).then(
    ({ uid, gid }) => ({ uid, gid }),
    () => null,
  );
  if (owner !== null && owner.uid !== 0) {
    return { ...owner, name: known.find(({ uid }) => uid === owner.uid)?.name ?? `user ${owner.uid}` };
  }
  for (const name of CANDIDATES) {
    const found = known.find((account) => account.name === name && account.uid !== 0);
    if (found !== undefined) return found;
  }
  throw new DevmeshError(
    'unavailable',
    `PostgreSQL does not run as root, and this machine has no user ${CANDIDATES.join(', ')} to run it as: make one ("useradd --system devmesh"), run Devmesh as an ordinary user, or set DATABASE_URL`,
  );
}

/** A folder as another account's process gets to it. */
export interface Passage {
  /** What that process calls the folder. */
  readonly path: string;
  /** To be inherited as descriptor 3, when not null. */
  readonly fd: number | null;
  close(): Promise<void>;
}

/**
 * A way into `dir` for a process of `account`, wherever the folder lies: root's own folders may not be entered by others,
 * and a clone below /root would be out of reach. The process inherits the opened folder and names it through `/proc/self/fd`,
 * which asks for no rights on the folders above. Nothing is copied, and nobody's rights are widened.
 */
export async function passageTo(dir: string, account: Account | null): Promise<Passage> {
  if (account === null) return { path: dir, fd: null, close: async () => {} };
  if (process.platform !== 'linux') {
    throw new DevmeshError(
      'unavailable',
      'on this system PostgreSQL can not be run for root: run Devmesh as an ordinary user, or set DATABASE_URL',
    );
  }
  const handle: FileHandle = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: '/proc/self/fd/3', fd: handle.fd, close: () => handle.close() };
}
