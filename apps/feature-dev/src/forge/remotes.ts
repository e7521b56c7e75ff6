import { DevmeshError } from '@devmesh/contracts/errors';
import type { Remote } from '@devmesh/repository/push';
import type { Forge } from '../config.js';
import { GitHubForge, type ForgeClient } from './forge-client.js';

/** Remotes by their URL, with what opens them. Tokens leave this only for the host that they are for. */
export class Remotes {
  constructor(
    private readonly forges: Readonly<Record<string, Forge>>,
    private readonly protocols: readonly string[],
  ) {}

  /** Throws `invalid_input` for what no remote can be. */
  remote(url: string): Remote {
    if (!/^([a-z]+:\/\/|[^/]+@[^/]+:)/i.test(url))
      throw new DevmeshError(
        'invalid_input',
        `"${url.slice(0, 200)}" is a folder of somebody's machine and no remote; say which one it is: with: {remote: https://host/owner/name.git}`,
      );
    const token = this.forges[hostOf(url)]?.token;
    const authorization =
      token === undefined
        ? {}
        : { authorization: `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}` };
    return { url, allowProtocols: this.protocols, ...authorization };
  }

  /** The forge of a remote. Throws `forbidden` when nothing opens it. */
  forge(url: string): ForgeClient {
    const host = hostOf(url);
    const forge = this.forges[host];
    const path = /[:/]([^/:]+)\/([^/]+?)(?:\.git)?\/?$/.exec(url);
    if (forge?.api === undefined)
      throw new DevmeshError(
        'forbidden',
        `feature-dev knows no API of ${host}; set it with a token in DEVMESH_FORGES_FILE (apps/feature-dev/README.md)`,
      );
    if (!path) throw new DevmeshError('invalid_input', `${url} names no owner and repository`);
    return new GitHubForge({ api: forge.api, token: forge.token, owner: path[1] ?? '', repository: path[2] ?? '' });
  }
}

/** `host` or `host:port` of a URL, of `git@host:path` too. */
function hostOf(url: string): string {
  const scp = /^[^/@]*@?([^/:]+):(?!\/\/)/.exec(url);
  if (scp && !/^[a-z]+:\/\//i.test(url)) return scp[1] ?? '';
  try {
    return new URL(url).host;
  } catch {
    return '';
  }
}

/** What a remote is called in the ledger. */
export function effectName(url: string, branch: string): string {
  return `${hostOf(url) || 'remote'}:${branch}`
    .replace(/[^A-Za-z0-9_.:-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 200);
}
