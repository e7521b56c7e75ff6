import { delimiter } from 'node:path';

/** Folders that programs are looked for in. An empty or relative entry would be the working folder: it is left out. */
export function programFolders(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
}
