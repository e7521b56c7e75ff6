import * as compose from '../../manifests/compose.js';
import type { FileCheck, RuleDefinition } from '../rule.js';

const service = (lines: string): string =>
  `services:\n  a:\n    image: registry.example.org/a:1.2\n${lines
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')}\n`;
type Part = Pick<RuleDefinition, 'id' | 'class' | 'severity' | 'message' | 'examples'> & Partial<RuleDefinition>;
const rule = (part: Part, file: FileCheck): RuleDefinition => ({
  confidence: 'high',
  languages: ['compose'],
  skipsTests: true,
  references: ['https://docs.docker.com/reference/compose-file/services/'],
  matches: { file },
  ...part,
});

/** What services of docker compose may do, and what they show. */
export const COMPOSE_RULES: readonly RuleDefinition[] = [
  rule(
    {
      id: 'compose-host-rights',
      class: 'k8s-privilege',
      severity: 'high',
      message:
        'The container has the rights of the machine: through its privileges, its network or processes, or a socket or folder of it. Leave that out; where docker itself must be asked, put a proxy before the socket that allows only what is needed.',
      examples: {
        bad: [
          service('privileged: true'),
          service('network_mode: host'),
          service('volumes:\n  - /var/run/docker.sock:/var/run/docker.sock:ro'),
        ],
        good: [
          service('privileged: false'),
          service('network_mode: bridge'),
          service('volumes:\n  - ./docker.sock.md:/docs/docker.sock.md'),
        ],
      },
    },
    compose.hostRights,
  ),
  rule(
    {
      id: 'compose-image-unpinned',
      class: 'docker-unpinned',
      severity: 'medium',
      message: 'What runs changes whenever somebody pushes that tag. Name a version, or a digest.',
      examples: {
        bad: [
          'services:\n  a:\n    image: postgres\n',
          'services:\n  a:\n    image: registry.example.org:5000/a:latest\n',
          service('restart: always').replace(':1.2', ''),
        ],
        good: [
          'services:\n  a:\n    image: postgres:17.2\n',
          'services:\n  a:\n    build: .\n    image: a\n',
          service('restart: always').replace(':1.2', ':${TAG}'),
        ],
      },
    },
    compose.unpinnedImages,
  ),
  rule(
    {
      id: 'compose-secret-in-environment',
      class: 'hardcoded-secret',
      cwe: 798,
      severity: 'high',
      confidence: 'medium',
      message:
        'A credential stands in this file, so everybody who sees the repository has it. Read it from the environment (`${NAME:?}`), or use secrets.',
      references: ['https://docs.docker.com/compose/how-tos/use-secrets/'],
      examples: {
        bad: [
          service('environment:\n  DB_PASSWORD: k3ttleLamp9'),
          service('environment:\n  - API_TOKEN=9f2c77aa01be'),
          service('environment: { CLIENT_SECRET: "9aRt6uLm3xQe" }'),
        ],
        good: [
          service('environment:\n  DB_PASSWORD: ${DB_PASSWORD}'),
          service('environment:\n  - API_TOKEN'),
          service('environment: { CLIENT_SECRET_FILE: /run/secrets/a1 }'),
        ],
      },
    },
    compose.secretsInEnvironment,
  ),
  rule(
    {
      id: 'compose-store-published',
      class: 'network-open',
      severity: 'medium',
      confidence: 'medium',
      message:
        'The port of a store is open on every network of the machine, past its firewall. Leave `ports` out, since services reach each other anyway, or publish it on 127.0.0.1.',
      references: ['https://docs.docker.com/engine/network/packet-filtering-firewalls/'],
      examples: {
        bad: [
          service('ports:\n  - "5432:5432"'),
          service('ports:\n  - 0.0.0.0:6379:6379/tcp'),
          service('ports:\n  - target: 27017\n    published: "27017"'),
        ],
        good: [
          service('ports:\n  - "127.0.0.1:5432:5432"'),
          service('expose:\n  - "6379"'),
          service('ports:\n  - target: 27017\n    published: "27017"\n    host_ip: 127.0.0.1'),
        ],
      },
    },
    compose.openStores,
  ),
];
