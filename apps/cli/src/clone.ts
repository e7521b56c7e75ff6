import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The folder of the clone that this code lies in: the nearest one above with the workspace's file. */
export const CLONE = ((): string => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'pnpm-workspace.yaml')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
})();

export function productVersion(): string {
  const { version } = JSON.parse(readFileSync(join(CLONE, 'package.json'), 'utf8')) as { version: string };
  return version;
}

/** The clone's commit in short, or null where git can't tell. */
export async function revision(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('git', ['-C', CLONE, 'rev-parse', '--short=12', 'HEAD'], {
      timeout: 2_000,
    });
    return stdout.trim();
  } catch {
    return null;
  }
}
