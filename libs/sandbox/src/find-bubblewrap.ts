import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { programFolders } from './config.js';
import type { Unavailable } from './outcome.js';

const INSTALL = 'install bubblewrap (Debian and Ubuntu: apt-get install bubblewrap; Fedora: dnf install bubblewrap)';

/** The path of bubblewrap, or why there is none. */
export async function findBubblewrap(): Promise<string | Unavailable> {
  if (process.platform !== 'linux')
    return {
      kind: 'unavailable',
      why: 'the sandbox is made of namespaces of Linux, and this is none',
      cure: 'let the mesh run on Linux',
    };
  for (const folder of programFolders()) {
    const path = join(folder, 'bwrap');
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return { kind: 'unavailable', why: 'there is no bubblewrap (bwrap) on the PATH', cure: INSTALL };
}

/** What helps against what bubblewrap, or what it started before the command, said. */
export function cureFor(why: string): string {
  if (/No space left|File too large/i.test(why))
    return 'the repository is larger than the work copy may be: its tests can only be run elsewhere';
  if (/namespace|uid map|Operation not permitted|Permission denied|NETLINK|hostname|mount proc/i.test(why))
    return 'allow user namespaces to the user of the mesh (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns; a container needs a seccomp profile that lets clone and unshare make them; a systemd unit: docs/deployment.md)';
  if (/Unknown option/i.test(why)) return 'install bubblewrap 0.8 or newer';
  return 'see what bubblewrap said; devmesh doctor tries it';
}
