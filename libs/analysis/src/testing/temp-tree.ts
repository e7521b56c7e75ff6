import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder of files for a test, gone with `remove`. */
export interface TempTree {
  readonly path: string;
  write(path: string, content: string | Uint8Array): void;
  remove(): void;
}

export function tempTree(files: Readonly<Record<string, string | Uint8Array>>): TempTree {
  const root = mkdtempSync(join(tmpdir(), 'tree '));
  const write = (path: string, content: string | Uint8Array): void => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  };
  for (const [path, content] of Object.entries(files)) write(path, content);
  return { path: root, write, remove: () => rmSync(root, { recursive: true, force: true }) };
}
