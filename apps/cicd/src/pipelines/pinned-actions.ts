/** An action of GitHub Actions, pinned: a tag can be moved, a commit can't. */
export interface PinnedAction {
  readonly name: string;
  /** Full commit id that the tag named. */
  readonly commit: string;
  readonly version: string;
}

/** As of 2026-11: each commit was read beside its tag in several public workflows. */
export const PINNED_ACTIONS = {
  checkout: { name: 'actions/checkout', commit: '08c6903cd8c0fde910a37f88322edcfb5dd907a8', version: 'v5.0.0' },
  setupNode: { name: 'actions/setup-node', commit: 'a0853c24544627f65ddf259abe73b1d18a591444', version: 'v5.0.0' },
  setupPython: { name: 'actions/setup-python', commit: 'e797f83bcb11b83ae66e0230d6156d7c80228e7c', version: 'v6.0.0' },
  setupPnpm: { name: 'pnpm/action-setup', commit: 'a7487c7e89a18df4991f7f222e4898a00d66ddda', version: 'v4.1.0' },
} as const satisfies Record<string, PinnedAction>;
