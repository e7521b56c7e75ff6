import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** A clone of this repository in a folder with a space in its name, set up by its own `./devmesh`. */
    clone: string;
    /** What the first call of `./devmesh` in it printed on stderr. */
    firstCall: string;
  }
}

const checkout = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Clones the commit that is checked out (uncommitted changes are not in it), and lets the clone set itself up, as a user would.
 * With `DEVMESH_E2E_CLONE` that folder is used as it stands, and stays.
 */
export default function setup(project: TestProject): () => void {
  const given = process.env['DEVMESH_E2E_CLONE'];
  if (given !== undefined && given !== '') {
    project.provide('clone', given);
    project.provide('firstCall', '');
    return () => {};
  }
  const folder = mkdtempSync(join(tmpdir(), 'devmesh e2e '));
  // Ordinary users call it too.
  chmodSync(folder, 0o755);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const clone = join(folder, 'a clone');
    execFileSync('git', ['clone', '--quiet', checkout, clone], { stdio: 'pipe' });
    const said = execFileSync('sh', ['-c', 'exec ./devmesh --version 2>&1'], {
      cwd: clone,
      timeout: 280_000,
      env: withoutNodeModules(process.env),
    });
    project.provide('clone', clone);
    project.provide('firstCall', said.toString());
  } catch (error) {
    remove();
    throw error;
  }
  return remove;
}

/** The environment of a user: no tools of this checkout on the path, nothing that a test runner sets. */
function withoutNodeModules(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const path = (env['PATH'] ?? '').split(':').filter((folder) => !folder.includes('node_modules'));
  const kept = Object.entries(env).filter(([name]) => !/^(VITEST|NODE_|npm_|NPM_|DEVMESH_|CI$)/.test(name));
  return { ...Object.fromEntries(kept), PATH: path.join(':') };
}
