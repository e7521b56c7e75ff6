import type { Span } from '../flow/ir.js';
import { looksLikeSecret, namesSecret } from '../secrets/credential.js';
import { at, listOf, textOf, whole, type Setting } from './setting.js';
import { yamlDocuments } from './yaml-documents.js';

/** One object of a manifest. */
export interface Resource {
  readonly kind: string;
  readonly name: string;
  readonly root: Setting;
}

/** What runs in a pod, with the pod around it. */
export interface Pod {
  readonly spec: Setting;
  readonly kind: string;
  readonly containers: readonly Setting[];
}

export function resourcesOf(text: string): Resource[] {
  if (!/^\s*["']?apiVersion["']?\s*:/m.test(text) || !/^\s*["']?kind["']?\s*:/m.test(text)) return [];
  return yamlDocuments(text).flatMap((root) => {
    const kind = textOf(at(root, 'kind'));
    const list = kind === 'List' ? listOf(at(root, 'items')) : [root];
    return list.flatMap((one): Resource[] => {
      const own = textOf(at(one, 'kind'));
      return own === '' || !at(one, 'apiVersion')
        ? []
        : [{ kind: own, name: textOf(at(one, 'metadata', 'name')), root: one }];
    });
  });
}

export function podsOf(text: string): Pod[] {
  return resourcesOf(text).flatMap(({ kind, root }): Pod[] => {
    const spec =
      kind === 'Pod'
        ? at(root, 'spec')
        : kind === 'CronJob'
          ? at(root, 'spec', 'jobTemplate', 'spec', 'template', 'spec')
          : at(root, 'spec', 'template', 'spec');
    const containers = listOf(at(spec, 'containers'));
    return spec && containers.length > 0
      ? [{ spec, kind, containers: [...containers, ...listOf(at(spec, 'initContainers'))] }]
      : [];
  });
}

type Check = (file: { readonly text: string }) => readonly Span[];

/** A look at each container; gives the place of what is wrong. */
const eachContainer =
  (look: (container: Setting, pod: Pod) => Setting | Span | undefined): Check =>
  ({ text }) =>
    podsOf(text).flatMap((pod) => pod.containers.flatMap((one) => look(one, pod) ?? []));
const eachPod =
  (look: (pod: Pod) => readonly Span[]): Check =>
  ({ text }) =>
    podsOf(text).flatMap((pod) => look(pod));

/** Where a container is named: what it lacks has no place of its own. */
const nameOf = (container: Setting): Span => {
  const name = at(container, 'name') ?? at(container, 'image');
  return name ? whole(name) : { start: container.start, end: container.end };
};
const security = (container: Setting, key: string): Setting | undefined => at(container, 'securityContext', key);
const isTrue = (setting: Setting | undefined): boolean => setting?.value === true;

export const privileged = eachContainer((one) => {
  const flag = security(one, 'privileged');
  return flag && isTrue(flag) ? whole(flag) : undefined;
});

export const hostNamespaces = eachPod(({ spec }) =>
  ['hostNetwork', 'hostPID', 'hostIPC'].flatMap((key) => {
    const flag = at(spec, key);
    return flag && isTrue(flag) ? [whole(flag)] : [];
  }),
);

export const hostPaths = eachPod(({ spec }) =>
  listOf(at(spec, 'volumes')).flatMap((volume) => {
    const path = at(volume, 'hostPath');
    return path ? [whole(path)] : [];
  }),
);

const DANGEROUS =
  /^(CAP_)?(ALL|SYS_ADMIN|NET_ADMIN|NET_RAW|SYS_PTRACE|SYS_MODULE|SYS_RAWIO|DAC_READ_SEARCH|DAC_OVERRIDE|SYS_BOOT|SYS_TIME|BPF|PERFMON|SETUID|SETGID|MKNOD)$/i;
export const addedCapabilities = eachContainer((one) =>
  listOf(at(one, 'securityContext', 'capabilities', 'add')).find((name) => DANGEROUS.test(textOf(name))),
);

export const keptCapabilities = eachContainer((one) => {
  const dropped = listOf(at(one, 'securityContext', 'capabilities', 'drop')).map(textOf);
  return dropped.some((name) => /^all$/i.test(name)) ? undefined : nameOf(one);
});

export const runsAsRoot = eachContainer((one, { spec }) => {
  const user = security(one, 'runAsUser') ?? at(spec, 'securityContext', 'runAsUser');
  if (user?.value === 0) return whole(user);
  const nonRoot = security(one, 'runAsNonRoot') ?? at(spec, 'securityContext', 'runAsNonRoot');
  if (isTrue(nonRoot) || (typeof user?.value === 'number' && user.value > 0)) return undefined;
  return nonRoot ? whole(nonRoot) : nameOf(one);
});

export const escalates = eachContainer((one) => {
  const flag = security(one, 'allowPrivilegeEscalation');
  if (flag?.value === false) return undefined;
  return flag ? whole(flag) : nameOf(one);
});

export const writableRoot = eachContainer((one) => {
  const flag = security(one, 'readOnlyRootFilesystem');
  if (isTrue(flag)) return undefined;
  return flag ? whole(flag) : nameOf(one);
});

export const withoutLimits = eachContainer((one) =>
  at(one, 'resources', 'limits', 'memory') ? undefined : nameOf(one),
);

export const withoutProbes = eachContainer((one, { kind, spec }) => {
  const isService = /^(Deployment|StatefulSet|DaemonSet|ReplicaSet)$/.test(kind);
  const isInitial = listOf(at(spec, 'initContainers')).includes(one);
  return isService && !isInitial && !at(one, 'livenessProbe') && !at(one, 'readinessProbe') && !at(one, 'startupProbe')
    ? nameOf(one)
    : undefined;
});

/** Whether the name of an image says no version: `latest`, or nothing. Variables are left alone. */
export function isUnpinned(image: string): boolean {
  if (image === '' || image.includes('@') || /[${}<>]/.test(image)) return false;
  const tag = /:([^:/]+)$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest';
}

export const unpinnedImages = eachContainer((one) => {
  const image = at(one, 'image');
  return image && isUnpinned(textOf(image)) ? image : undefined;
});

export const mountsToken = eachPod(({ spec, kind }) => {
  const flag = at(spec, 'automountServiceAccountToken');
  if (flag?.value === false || at(spec, 'serviceAccountName') || kind === 'Job' || kind === 'CronJob') return [];
  if (flag) return [whole(flag)];
  const containers = at(spec, 'containers');
  return containers?.key ? [containers.key] : [];
});

export const secretsInVariables: Check = (file) => {
  const found = eachContainer(
    (one) =>
      listOf(at(one, 'env')).flatMap((variable) => {
        const [name, value] = [textOf(at(variable, 'name')), at(variable, 'value')];
        return value && namesSecret(name) && looksLikeSecret(textOf(value), name) ? [value] : [];
      })[0],
  )(file);
  return found.map(({ start, end }) => ({ start, end }));
};

/** Roles that allow everything, and bindings to the one that does. */
export const wideRoles: Check = ({ text }) =>
  resourcesOf(text).flatMap(({ kind, root }) => {
    if (/^(Cluster)?Role$/.test(kind))
      return listOf(at(root, 'rules')).flatMap((rule) => {
        const every = (key: string): Setting | undefined => listOf(at(rule, key)).find((one) => textOf(one) === '*');
        const [verb, resource] = [every('verbs'), every('resources')];
        const secrets = listOf(at(rule, 'resources')).some((one) => textOf(one) === 'secrets');
        if (verb && (resource || secrets)) return [verb];
        return resource &&
          listOf(at(rule, 'verbs')).some((one) =>
            /^(create|update|patch|delete|escalate|impersonate|bind)$/.test(textOf(one)),
          )
          ? [resource]
          : [];
      });
    const role = at(root, 'roleRef');
    return /^(Cluster)?RoleBinding$/.test(kind) && role && textOf(at(role, 'name')) === 'cluster-admin'
      ? [role.key ?? role]
      : [];
  });
