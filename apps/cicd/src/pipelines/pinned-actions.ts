/** An action of GitHub Actions, pinned: a tag can be moved, a commit can't. */
export interface PinnedAction {
  readonly name: string;
  /** Full commit id that the tag named. */
  readonly commit: string;
  readonly version: string;
}

/** As of 2026-11: each commit was read beside its tag in several public workflows. The pipeline of this repository is held to them too. */
export const PINNED_ACTIONS = {
  checkout: { name: 'actions/checkout', commit: '08c6903cd8c0fde910a37f88322edcfb5dd907a8', version: 'v5.0.0' },
  setupNode: { name: 'actions/setup-node', commit: 'a0853c24544627f65ddf259abe73b1d18a591444', version: 'v5.0.0' },
  setupPython: { name: 'actions/setup-python', commit: 'e797f83bcb11b83ae66e0230d6156d7c80228e7c', version: 'v6.0.0' },
  setupPnpm: { name: 'pnpm/action-setup', commit: 'a7487c7e89a18df4991f7f222e4898a00d66ddda', version: 'v4.1.0' },
  cache: { name: 'actions/cache', commit: '0057852bfaa89a56745cba8c7296529d2fc39830', version: 'v4.3.0' },
  uploadArtifact: {
    name: 'actions/upload-artifact',
    commit: 'ea165f8d65b6e75b540449e92b4886f43607fa02',
    version: 'v4.6.2',
  },
  setupBuildx: {
    name: 'docker/setup-buildx-action',
    commit: 'e468171a9de216ec08956ac3ada2f0791b6bd435',
    version: 'v3.11.1',
  },
  dockerLogin: { name: 'docker/login-action', commit: '5e57cd118135c172c3672efd75eb46360885c0ef', version: 'v3.6.0' },
  dockerBuild: {
    name: 'docker/build-push-action',
    commit: '263435318d21b8e681c14492fe198d362a7d2c83',
    version: 'v6.18.0',
  },
  cosign: { name: 'sigstore/cosign-installer', commit: 'd58896d6a1865668819e1d91763c7751a165e159', version: 'v3.9.2' },
  setupGo: { name: 'actions/setup-go', commit: '44694675825211faa026b3c33043df3e48a5fa00', version: 'v6.0.0' },
  setupJava: { name: 'actions/setup-java', commit: 'dded0888837ed1f317902acf8a20df0ad188d165', version: 'v5.0.0' },
} as const satisfies Record<string, PinnedAction>;

/** Further versions, for pipelines that name them. */
const OTHERS: readonly PinnedAction[] = [
  { name: 'actions/checkout', commit: '34e114876b0b11c390a56381ad16ebd13914f8d5', version: 'v4.3.1' },
  { name: 'actions/checkout', commit: '08eba0b27e820071cde6df949e0beb9ba4906955', version: 'v4.3.0' },
  { name: 'actions/checkout', commit: '11bd71901bbe5b1630ceea73d27597364c9af683', version: 'v4.2.2' },
  { name: 'actions/setup-node', commit: '49933ea5288caeca8642d1e84afbd3f7d6820020', version: 'v4.4.0' },
  { name: 'actions/setup-python', commit: 'a26af69be951a213d495a4c3e4e4022e16d87065', version: 'v5.6.0' },
  { name: 'actions/setup-go', commit: 'd35c59abb061a4a6fb18e82ac0862c26744d6ab5', version: 'v5.5.0' },
  { name: 'actions/setup-java', commit: 'c5195efecf7bdfc987ee8bae7a71cb8b11521c00', version: 'v4.7.1' },
  { name: 'actions/cache', commit: '0400d5f644dc74513175e3cd8d07132dd4860809', version: 'v4.2.4' },
  { name: 'actions/download-artifact', commit: 'd3f86a106a0bac45b974a628896c90dbdf5c8093', version: 'v4.3.0' },
  { name: 'docker/login-action', commit: '184bdaa0721073962dff0199f1fb9940f07167d1', version: 'v3.5.0' },
];

/**
 * The pinned form of `name@tag`: that very version, or for a tag of a whole series (`v4`, `v4.2`) the newest of it known here.
 * Undefined for branches, commits and what the table lacks.
 */
export function pinOf(name: string, tag: string): PinnedAction | undefined {
  if (!/^v\d+(\.\d+){0,2}$/.test(tag)) return undefined;
  // Newest first within a series.
  return [...Object.values(PINNED_ACTIONS), ...OTHERS].find(
    (action) => action.name === name && (action.version === tag || action.version.startsWith(`${tag}.`)),
  );
}
