import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';

/** Said in the name of what is skipped for want of a peer, and read by the runner of the tests, which counts it apart. */
export const NOT_TO_BE_HAD = 'could not be had';

/** The path of a program that is on the PATH. */
export function programPath(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Tests against programs that no package of npm brings. Without one of them they are skipped when `tools/verify-real` says that it
 * could not be had on this machine (DEVMESH_PEERS_MISSING, names between blanks), and fail otherwise. `tests` runs even then: it only
 * says which tests there are, and starts nothing outside of hooks.
 */
export function describeWith(programs: readonly string[], name: string, tests: () => void | Promise<void>): void {
  const missing = programs.filter((program) => programPath(program) === undefined);
  const known = new Set((process.env['DEVMESH_PEERS_MISSING'] ?? '').split(' '));
  const forgiven = missing.length > 0 && missing.every((program) => known.has(program));
  const title = forgiven ? `${name} (${missing.join(', ')} ${NOT_TO_BE_HAD})` : name;
  describe.skipIf(forgiven)(`${title}`, async () => {
    if (missing.length > 0 && !forgiven)
      throw new Error(`there is no ${missing.join(', ')} on the PATH: tools/verify-real gets it`);
    await tests();
  });
}
