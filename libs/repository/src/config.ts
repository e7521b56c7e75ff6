/** What git needs of this process's environment to be found and to have a temporary folder. */
const LOCAL = ['PATH', 'TMPDIR'];

/** What it needs besides to reach a server: proxies, certificates, the agent that holds keys. */
const NETWORK = [
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'SSH_AUTH_SOCK',
];

/** The part of this process's environment that git may see. `GIT_*`, pagers, editors and the home folder are not among it. */
export function inheritedEnvironment(network: boolean): NodeJS.ProcessEnv {
  const names = network ? [...LOCAL, ...NETWORK] : LOCAL;
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
