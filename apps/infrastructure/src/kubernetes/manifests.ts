import { BACKING_SERVICES, connectionPart } from '@devmesh/analysis/stack/backing-services';
import { GENERATED_MARK } from '@devmesh/analysis/stack/containers';
import { stringify } from 'yaml';
import { environmentFor, nameAll, type BuiltComponent, type Named } from '../compose/compose-file.js';

/** Where the manifests are written; a repository that has it keeps its own. */
export const KUBERNETES_FOLDER = 'kubernetes';

/** A user of nobody's, above those that hosts use. */
const USER = 10001;
const MEMORY: Readonly<Record<string, readonly [string, string]>> = { java: ['512Mi', '1Gi'] };
const DNS_EGRESS = {
  to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }],
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
};

type Resource = Record<string, unknown>;

/** A component with what it is given and what it reaches. */
interface Workload {
  readonly name: string;
  readonly own: Named;
  /** Variables with a value that is no secret. */
  readonly values: Readonly<Record<string, string>>;
  /** Variables whose value is in a Secret. */
  readonly secrets: readonly string[];
  readonly peers: readonly string[];
}

/** A kustomize base: per component a Deployment, a Service and a NetworkPolicy; empty without components. Paths are the repository's. */
export function kubernetesFiles(built: readonly BuiltComponent[]): Map<string, string> {
  const files = new Map<string, string>();
  if (built.length === 0) return files;
  const named = nameAll(built, []);
  const namespace = labelOf(named.length === 1 ? (named[0]?.name ?? 'app') : 'app');
  const workloads = named.map((own) => workloadOf(own, named));
  const write = (name: string, ...resources: Resource[]): void => {
    const documents = resources.map((one) => stringify(one, { lineWidth: 0, aliasDuplicateObjects: false }));
    files.set(
      `${KUBERNETES_FOLDER}/${name}.yaml`,
      `# ${GENERATED_MARK}. Yours to change: it is never written over.\n${documents.join('---\n')}`,
    );
  };
  write('namespace', namespaceOf(namespace), denyAll(namespace));
  for (const workload of workloads) {
    const callers = workloads.filter(({ peers }) => peers.includes(workload.own.name)).map(({ name }) => name);
    write(workload.name, ...resourcesOf(workload, namespace, callers, workloads));
  }
  const resources = ['namespace.yaml', ...workloads.map(({ name }) => `${name}.yaml`)];
  const images = workloads.map(({ name }) => ({ name, newName: `registry.example.com/${name}`, newTag: 'unreleased' }));
  const notes = workloads
    .filter(({ secrets }) => secrets.length > 0)
    .map(({ name, secrets }) => `#   ${name}-secrets: ${secrets.join(', ')}`);
  files.set(
    `${KUBERNETES_FOLDER}/kustomization.yaml`,
    [
      `# ${GENERATED_MARK}. Yours to change: it is never written over.`,
      '# Images are what was pushed: set newName and newTag (better a digest) before `kubectl apply -k`.',
      ...(notes.length > 0
        ? ['# Secrets are made by you, and belong in no repository; these keys are read:', ...notes]
        : []),
      stringify(
        { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', namespace, resources, images },
        { lineWidth: 0 },
      ),
    ].join('\n'),
  );
  return files;
}

/** A label of DNS (RFC 1123). */
function labelOf(name: string): string {
  return name.replaceAll('_', '-').slice(0, 50).replace(/-+$/, '') || 'app';
}

function workloadOf(own: Named, all: readonly Named[]): Workload {
  const services = own.report.component.services.map(({ value }) => value);
  const { values, required, peers } = environmentFor(own, all);
  const connections = own.report.environment
    .map(({ name }) => name)
    .filter((name) => services.some((service) => connectionPart(service, name) !== undefined));
  const secrets = [...new Set([...connections, ...required])].filter((name) => !(name in values)).sort();
  return { name: labelOf(own.name), own, values: mapValues(values), secrets, peers };
}

/** Names of peers are those of their Services. */
function mapValues(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      value.replace(/^(https?:\/\/)([\w-]+)/, (_all, scheme: string, host: string) => scheme + labelOf(host)),
    ]),
  );
}

function namespaceOf(name: string): Resource {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

function denyAll(namespace: string): Resource {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'deny-all', namespace },
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
  };
}

function resourcesOf(
  workload: Workload,
  namespace: string,
  callers: readonly string[],
  all: readonly Workload[],
): Resource[] {
  const { name, own } = workload;
  const port = own.port === undefined ? undefined : Number(own.port);
  const labels = { 'app.kubernetes.io/name': name };
  const metadata = { name, namespace, labels };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { selector: labels, ports: [{ name: 'http', port, targetPort: 'http' }] },
  };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: port === undefined ? 1 : 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podOf(workload, port) },
      },
    },
    ...(port === undefined ? [] : [service]),
    policyOf(workload, metadata, labels, callers, all),
  ];
}

function podOf({ name, own, values, secrets }: Workload, port: number | undefined): Resource {
  const [request, limit] = MEMORY[own.report.ecosystem] ?? ['128Mi', '512Mi'];
  const env = [
    ...Object.entries(values).map(([key, value]) => ({ name: key, value })),
    ...secrets.map((key) => ({ name: key, valueFrom: { secretKeyRef: { name: `${name}-secrets`, key } } })),
  ];
  return {
    automountServiceAccountToken: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name,
        image: `${name}:unreleased`,
        imagePullPolicy: 'Always',
        ...(port === undefined ? {} : { ports: [{ name: 'http', containerPort: port }] }),
        ...(env.length > 0 ? { env } : {}),
        ...(port === undefined ? {} : probesOf(own.report.healthPath)),
        resources: { requests: { cpu: '100m', memory: request }, limits: { cpu: '1', memory: limit } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
      },
    ],
    volumes: [{ name: 'tmp', emptyDir: {} }],
  };
}

/** A route that the code has is asked; else only whether the port is open. */
function probesOf(healthPath: string | undefined): Resource {
  const ask =
    healthPath === undefined ? { tcpSocket: { port: 'http' } } : { httpGet: { path: healthPath, port: 'http' } };
  return {
    startupProbe: { ...ask, periodSeconds: 2, failureThreshold: 30 },
    readinessProbe: { ...ask, periodSeconds: 10, timeoutSeconds: 3 },
    livenessProbe: { ...ask, periodSeconds: 20, timeoutSeconds: 3, failureThreshold: 3 },
  };
}

function policyOf(
  { own, peers }: Workload,
  metadata: Resource,
  labels: Record<string, string>,
  callers: readonly string[],
  all: readonly Workload[],
): Resource {
  const port = own.port === undefined ? undefined : Number(own.port);
  const from =
    callers.length > 0
      ? { from: callers.map((caller) => ({ podSelector: { matchLabels: { 'app.kubernetes.io/name': caller } } })) }
      : {};
  const toPeers = all
    .filter((other) => peers.includes(other.own.name))
    .map((other) => ({
      to: [{ podSelector: { matchLabels: { 'app.kubernetes.io/name': other.name } } }],
      ports: [{ protocol: 'TCP', port: Number(other.own.port) }],
    }));
  const services = own.report.component.services.flatMap(({ value }) => BACKING_SERVICES[value]?.port ?? []);
  const ports = [...new Set([...services.map(Number), 443])];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata,
    spec: {
      podSelector: { matchLabels: labels },
      policyTypes: ['Ingress', 'Egress'],
      ingress: port === undefined ? [] : [{ ...from, ports: [{ protocol: 'TCP', port }] }],
      egress: [DNS_EGRESS, ...toPeers, { ports: ports.map((one) => ({ protocol: 'TCP', port: one })) }],
    },
  };
}
