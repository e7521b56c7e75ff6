import * as kubernetes from '../../manifests/kubernetes.js';
import type { FileCheck, RuleDefinition } from '../rule.js';

const LANGUAGES = ['kubernetes'] as const;
const REFERENCES = ['https://kubernetes.io/docs/concepts/security/pod-security-standards/'];

/** A pod: lines of its spec, then lines of its one container. */
const pod = (spec: string, container = ''): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n${indent(spec, 2)}  containers:\n    - name: a\n      image: registry.example.org/a:1.2\n${indent(container, 6)}`;
const deployment = (container: string): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\nspec:\n  template:\n    spec:\n      containers:\n        - name: a\n          image: registry.example.org/a:1.2\n${indent(container, 10)}`;
const indent = (text: string, by: number): string =>
  text === ''
    ? ''
    : `${text
        .split('\n')
        .map((line) => ' '.repeat(by) + line)
        .join('\n')}\n`;

type Part = Pick<RuleDefinition, 'id' | 'class' | 'severity' | 'message' | 'examples'> & Partial<RuleDefinition>;
const rule = (part: Part, file: FileCheck): RuleDefinition => ({
  confidence: 'high',
  languages: LANGUAGES,
  references: REFERENCES,
  skipsTests: true,
  matches: { file },
  ...part,
});

/** What a pod may do on its machine, what it may use up, and what it runs. */
export const KUBERNETES_RULES: readonly RuleDefinition[] = [
  rule(
    {
      id: 'k8s-privileged',
      class: 'k8s-privilege',
      severity: 'high',
      message:
        'A privileged container is root on the machine that it runs on. Leave `privileged` out, and add the one capability that is needed.',
      examples: {
        bad: [
          pod('', 'securityContext:\n  privileged: true'),
          pod('', 'securityContext: { privileged: true }'),
          deployment('securityContext:\n  runAsUser: 1\n  privileged: true'),
        ],
        good: [
          pod('', 'securityContext:\n  privileged: false'),
          pod('', 'securityContext: {}'),
          deployment('securityContext:\n  runAsUser: 1'),
        ],
      },
    },
    kubernetes.privileged,
  ),
  rule(
    {
      id: 'k8s-host-namespace',
      class: 'k8s-privilege',
      severity: 'high',
      message:
        'The pod sees the network, the processes or the memory of its machine, and everything that runs there. Leave hostNetwork, hostPID and hostIPC out.',
      examples: {
        bad: [pod('hostNetwork: true'), pod('hostPID: true'), pod('hostIPC: true')],
        good: [pod('hostNetwork: false'), pod(''), pod('hostname: a')],
      },
    },
    kubernetes.hostNamespaces,
  ),
  rule(
    {
      id: 'k8s-host-path',
      class: 'k8s-privilege',
      severity: 'medium',
      message:
        'A folder of the machine is in the pod, so what breaks out of the container reads or changes the machine. Use a volume of the cluster, an emptyDir or a configMap.',
      examples: {
        bad: [
          pod('volumes:\n  - name: v\n    hostPath: { path: / }'),
          pod('volumes:\n  - name: v\n    hostPath:\n      path: /var/run/docker.sock'),
          pod('volumes:\n  - name: w\n    emptyDir: {}\n  - name: v\n    hostPath: { path: /etc, type: Directory }'),
        ],
        good: [
          pod('volumes:\n  - name: v\n    emptyDir: {}'),
          pod('volumes:\n  - name: v\n    configMap: { name: a }'),
          pod('volumes:\n  - name: v\n    persistentVolumeClaim: { claimName: a }'),
        ],
      },
    },
    kubernetes.hostPaths,
  ),
  rule(
    {
      id: 'k8s-added-capability',
      class: 'k8s-privilege',
      severity: 'high',
      message:
        'With this capability a process can leave its container or read what others send. Drop ALL, and add only what the program calls for, such as NET_BIND_SERVICE.',
      examples: {
        bad: [
          pod('', 'securityContext:\n  capabilities: { add: [SYS_ADMIN] }'),
          pod('', 'securityContext:\n  capabilities:\n    drop: [ALL]\n    add:\n      - NET_RAW'),
          deployment('securityContext:\n  capabilities: { add: ["ALL"] }'),
        ],
        good: [
          pod('', 'securityContext:\n  capabilities: { add: [NET_BIND_SERVICE] }'),
          pod('', 'securityContext:\n  capabilities:\n    drop: [ALL]'),
          deployment('securityContext:\n  capabilities: { drop: ["SYS_ADMIN"] }'),
        ],
      },
    },
    kubernetes.addedCapabilities,
  ),
  rule(
    {
      id: 'k8s-kept-capabilities',
      class: 'k8s-privilege',
      severity: 'low',
      confidence: 'medium',
      message:
        'The container keeps a dozen capabilities that a server does not need. Say `capabilities: { drop: [ALL] }`.',
      examples: {
        bad: [
          pod(''),
          pod('', 'securityContext:\n  capabilities: { drop: [NET_RAW] }'),
          deployment('securityContext: {}'),
        ],
        good: [
          pod('', 'securityContext:\n  capabilities: { drop: [ALL] }'),
          pod('', 'securityContext:\n  capabilities:\n    drop:\n      - all\n    add: [NET_BIND_SERVICE]'),
          deployment('securityContext:\n  capabilities: { drop: ["ALL"] }'),
        ],
      },
    },
    kubernetes.keptCapabilities,
  ),
  rule(
    {
      id: 'k8s-runs-as-root',
      class: 'k8s-privilege',
      severity: 'medium',
      confidence: 'medium',
      message:
        'The process may be root in its container, which makes any way out of it worth more. Say `runAsNonRoot: true` (and a `runAsUser` above 0).',
      examples: {
        bad: [
          pod('', 'securityContext: { runAsUser: 0 }'),
          pod('securityContext: { runAsNonRoot: false }'),
          deployment(''),
        ],
        good: [
          pod('', 'securityContext: { runAsUser: 1000 }'),
          pod('securityContext: { runAsNonRoot: true }'),
          deployment('securityContext:\n  runAsNonRoot: true'),
        ],
      },
    },
    kubernetes.runsAsRoot,
  ),
  rule(
    {
      id: 'k8s-escalation',
      class: 'k8s-privilege',
      severity: 'medium',
      confidence: 'medium',
      message:
        'A process may gain more rights than its parent, by a set-user-id program for one. Say `allowPrivilegeEscalation: false`.',
      examples: {
        bad: [
          pod(''),
          pod('', 'securityContext: { allowPrivilegeEscalation: true }'),
          deployment('securityContext: { runAsNonRoot: true }'),
        ],
        good: [
          pod('', 'securityContext: { allowPrivilegeEscalation: false }'),
          deployment('securityContext:\n  allowPrivilegeEscalation: false'),
          'apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: { ports: [] }\n',
        ],
      },
    },
    kubernetes.escalates,
  ),
  rule(
    {
      id: 'k8s-writable-root',
      class: 'k8s-privilege',
      severity: 'low',
      confidence: 'medium',
      message:
        'What runs in the container can change its programs, and so stay there. Say `readOnlyRootFilesystem: true`, with an emptyDir for what must be written.',
      examples: {
        bad: [
          pod(''),
          pod('', 'securityContext: { readOnlyRootFilesystem: false }'),
          deployment('securityContext: { runAsNonRoot: true }'),
        ],
        good: [
          pod('', 'securityContext: { readOnlyRootFilesystem: true }'),
          deployment('securityContext:\n  readOnlyRootFilesystem: true'),
          'kind: notes\nreadOnly: false\n',
        ],
      },
    },
    kubernetes.writableRoot,
  ),
  rule(
    {
      id: 'k8s-token-mounted',
      class: 'k8s-privilege',
      severity: 'low',
      confidence: 'low',
      message:
        'The token of the default account lies in the pod, so whoever gets in can ask the cluster with it. Say `automountServiceAccountToken: false`, unless the program talks to the cluster.',
      examples: {
        bad: [pod(''), pod('automountServiceAccountToken: true'), deployment('')],
        good: [
          pod('automountServiceAccountToken: false'),
          pod('serviceAccountName: operator'),
          'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n',
        ],
      },
    },
    kubernetes.mountsToken,
  ),
  rule(
    {
      id: 'k8s-no-limits',
      class: 'k8s-resources',
      severity: 'medium',
      confidence: 'medium',
      message:
        'Without a limit of memory this container takes what its neighbours need, until the machine ends them. Say `resources.requests` and `resources.limits`.',
      references: ['https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/'],
      examples: {
        bad: [
          pod(''),
          pod('', 'resources: { requests: { memory: 64Mi } }'),
          deployment('resources:\n  limits: { cpu: "1" }'),
        ],
        good: [
          pod('', 'resources: { limits: { memory: 64Mi } }'),
          deployment('resources:\n  limits:\n    cpu: "1"\n    memory: 1Gi'),
          'apiVersion: v1\nkind: Namespace\nmetadata: { name: a }\n',
        ],
      },
    },
    kubernetes.withoutLimits,
  ),
  rule(
    {
      id: 'k8s-no-probes',
      class: 'k8s-resources',
      severity: 'low',
      confidence: 'low',
      message:
        'Nobody asks whether this container still works: one that hangs gets requests for ever. Give it a readinessProbe and a livenessProbe.',
      references: ['https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/'],
      examples: {
        bad: [
          deployment(''),
          deployment('ports:\n  - containerPort: 80'),
          deployment('resources: { limits: { memory: 1Gi } }'),
        ],
        good: [
          deployment('livenessProbe: { tcpSocket: { port: 80 } }'),
          deployment('readinessProbe:\n  httpGet: { path: /, port: 80 }'),
          pod(''),
        ],
      },
    },
    kubernetes.withoutProbes,
  ),
  rule(
    {
      id: 'k8s-image-unpinned',
      class: 'docker-unpinned',
      severity: 'medium',
      message:
        'What runs changes whenever somebody pushes that tag, and a rollback may bring the same fault. Name a version, or a digest.',
      references: ['https://kubernetes.io/docs/concepts/containers/images/'],
      examples: {
        bad: [
          pod('').replace('a:1.2', 'a:latest'),
          pod('').replace('a:1.2', 'a'),
          deployment('').replace('registry.example.org/a:1.2', 'registry.example.org:5000/a'),
        ],
        good: [
          pod(''),
          pod('').replace('a:1.2', 'a@sha256:3d9ed832906091d609cfd6f283e79492ace01ba15866b21d8a262e8fd1cdfb55'),
          deployment('').replace('a:1.2', 'a:${TAG}'),
        ],
      },
    },
    kubernetes.unpinnedImages,
  ),
  rule(
    {
      id: 'k8s-secret-in-variable',
      class: 'hardcoded-secret',
      cwe: 798,
      severity: 'high',
      confidence: 'medium',
      message:
        'A credential stands in this manifest, so everybody who sees the repository or the pod has it. Put it into a Secret and read it with secretKeyRef.',
      references: ['https://kubernetes.io/docs/concepts/configuration/secret/'],
      examples: {
        bad: [
          pod('', 'env:\n  - name: DB_PASSWORD\n    value: k3ttleLamp9'),
          pod('', 'env:\n  - { name: API_TOKEN, value: "9f2c77aa01be" }'),
          deployment('env:\n  - name: A\n    value: b\n  - name: CLIENT_SECRET\n    value: 9aRt6uLm3xQe'),
        ],
        good: [
          pod('', 'env:\n  - name: DB_PASSWORD\n    valueFrom: { secretKeyRef: { name: a, key: b } }'),
          pod('', 'env:\n  - { name: API_TOKEN, value: "$(TOKEN)" }'),
          deployment('env:\n  - name: CLIENT_SECRET_FILE\n    value: /run/secrets/a1'),
        ],
      },
    },
    kubernetes.secretsInVariables,
  ),
  rule(
    {
      id: 'k8s-wide-role',
      class: 'iam',
      severity: 'high',
      message:
        'Whoever has this role may do nearly everything in the cluster. Name the verbs and the resources that are needed.',
      references: ['https://kubernetes.io/docs/concepts/security/rbac-good-practices/'],
      examples: {
        bad: [
          'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: a }\nrules:\n  - apiGroups: ["*"]\n    resources: ["*"]\n    verbs: ["*"]\n',
          'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: { name: a }\nrules:\n  - apiGroups: [""]\n    resources: [secrets]\n    verbs: ["*"]\n',
          'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: { name: a }\nroleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }\n',
        ],
        good: [
          'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: a }\nrules:\n  - apiGroups: [""]\n    resources: [pods]\n    verbs: [get, list]\n',
          'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: { name: a }\nrules:\n  - apiGroups: [""]\n    resources: ["*"]\n    verbs: [get, list, watch]\n',
          'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: { name: a }\nroleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }\n',
        ],
      },
    },
    kubernetes.wideRoles,
  ),
];
