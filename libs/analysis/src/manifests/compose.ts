import type { Span } from '../flow/ir.js';
import { looksLikeSecret, namesSecret } from '../secrets/credential.js';
import { isUnpinned } from './kubernetes.js';
import { at, listOf, textOf, whole, type Setting } from './setting.js';
import { yamlDocuments } from './yaml-documents.js';

type Check = (file: { readonly text: string }) => readonly Span[];

const eachService =
  (look: (service: Setting) => readonly Span[]): Check =>
  ({ text }) =>
    yamlDocuments(text).flatMap((root) => [...(at(root, 'services')?.fields?.values() ?? [])].flatMap(look));

/** What gives a container the rights of the machine: all privileges, the socket of docker, the network of the host. */
export const hostRights = eachService((service) => {
  const found: Span[] = [];
  const flag = at(service, 'privileged');
  if (flag?.value === true) found.push(whole(flag));
  for (const key of ['network_mode', 'pid', 'ipc', 'userns_mode']) {
    const mode = at(service, key);
    if (mode && textOf(mode) === 'host') found.push(whole(mode));
  }
  for (const volume of listOf(at(service, 'volumes'))) {
    const source = textOf(at(volume, 'source')) || textOf(volume).split(':')[0] || '';
    if (/^\/(var\/)?run\/docker\.sock$|^\/$|^\/(etc|proc|sys|boot|root)\/?$/.test(source)) found.push(volume);
  }
  const added = listOf(at(service, 'cap_add')).find((one) =>
    /^(CAP_)?(ALL|SYS_ADMIN|SYS_PTRACE|SYS_MODULE)$/i.test(textOf(one)),
  );
  if (added) found.push(added);
  return found;
});

export const unpinnedImages = eachService((service) => {
  const image = at(service, 'image');
  return image && !at(service, 'build') && isUnpinned(textOf(image)) ? [image] : [];
});

/** Names and values of `environment`, as a map or a list. */
function variablesOf(service: Setting): { name: string; value: string; place: Setting }[] {
  const environment = at(service, 'environment');
  const fields = [...(environment?.fields ?? [])].map(([name, place]) => ({ name, value: textOf(place), place }));
  const items = listOf(environment?.items ? environment : undefined).map((place) => {
    const [name = '', ...rest] = textOf(place).split('=');
    return { name, value: rest.join('='), place };
  });
  return [...fields, ...items];
}

export const secretsInEnvironment = eachService((service) =>
  variablesOf(service).flatMap(({ name, value, place }) => {
    if (!namesSecret(name) || !looksLikeSecret(value, name)) return [];
    return [
      {
        start: place.end - value.length - (place.end - place.start > value.length + name.length + 1 ? 1 : 0),
        end: place.end,
      },
    ];
  }),
);

const STORES = /^(5432|3306|6379|27017|9200|9300|11211|1433|1521|5984|8086|2379|9042|5672|15672|2375|2376)$/;

/** Ports of stores that are open on every interface of the machine. */
export const openStores = eachService((service) =>
  listOf(at(service, 'ports')).flatMap((port) => {
    const target = textOf(at(port, 'target'));
    if (target !== '') {
      const host = textOf(at(port, 'host_ip'));
      return at(port, 'published') && STORES.test(target) && (host === '' || host === '0.0.0.0') ? [port] : [];
    }
    const [published, inner, ...more] = textOf(port).split('/')[0]?.split(':').reverse().slice(0, 3).reverse() ?? [];
    // `host:published:inner` names an interface.
    if (more.length > 0) return published === '0.0.0.0' && STORES.test(more[0] ?? '') ? [port] : [];
    return inner !== undefined && STORES.test(inner) ? [port] : [];
  }),
);
