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
} as const satisfies Record<string, PinnedAction>;
