import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { PINNED_ACTIONS } from './pinned-actions.js';

test("each action of this repository's own pipeline is the commit that the table pins, and says its version", () => {
  const cwd = fileURLToPath(new URL('../../../../.github/', import.meta.url));
  const used = globSync('**/*.yml', { cwd }).flatMap((file) =>
    [...readFileSync(`${cwd}${file}`, 'utf8').matchAll(/^\s*(?:- )?uses: (?!\.\/)(.+)$/gm)].map(([, action]) => action),
  );
  const pinned = Object.values(PINNED_ACTIONS).map(({ name, commit, version }) => `${name}@${commit} # ${version}`);
  expect(used.length).toBeGreaterThan(10);
  for (const action of used) expect(pinned).toContain(action);
});
