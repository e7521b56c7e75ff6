import { stringify } from 'yaml';
import { base, behindCaddy, caddyfile, debug, RESET, VARIABLES } from './compose.ts';
import { dockerfile } from './dockerfile.ts';

const HEADER = '# Generated: node tools/containers/main.ts';
/** Certificates that browsers don't trust, with limits that a staging can't use up. */
const STAGING_AUTHORITY = 'https://acme-staging-v02.api.letsencrypt.org/directory';

function yaml(content: object): string {
  const text = stringify(content, { lineWidth: 0, aliasDuplicateObjects: false });
  return `${HEADER}\n${text.replaceAll(`"${RESET}"`, `${RESET} null`)}`;
}

function exampleEnvironment(): string {
  const lines = VARIABLES.map(({ name, value, about }) => `# ${about}\n${name}=${value}\n`);
  return `${HEADER}\n# Copy it to .env beside it, and change what you want otherwise. Secrets are no part of it: ./make-secrets.sh makes them.\n\n${lines.join('\n')}`;
}

/** Every generated file, by its path in the clone. `pnpm`: the version of package.json. */
export function containerFiles(pnpm: string): ReadonlyMap<string, string> {
  return new Map([
    ['deploy/docker/Dockerfile', dockerfile(pnpm)],
    ['compose/docker-compose.yml', yaml(base())],
    ['compose/docker-compose.production.yml', yaml(behindCaddy('Caddyfile'))],
    ['compose/docker-compose.staging.yml', yaml(behindCaddy('Caddyfile.staging'))],
    ['compose/docker-compose.debug.yml', yaml(debug())],
    ['compose/Caddyfile', caddyfile()],
    ['compose/Caddyfile.staging', caddyfile(STAGING_AUTHORITY)],
    ['compose/.env.example', exampleEnvironment()],
  ]);
}
