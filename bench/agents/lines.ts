import { readText } from '@devmesh/analysis/findings/read-text';
import { walk } from '@devmesh/analysis/findings/walk';
import { languageOf } from '@devmesh/analysis/parse/language';

/** Lines of the programs in a tree that are reviewed. */
export async function linesOf(root: string): Promise<number> {
  let lines = 0;
  for await (const entry of walk(root)) {
    if (!('file' in entry) || languageOf(entry.file.path) === undefined) continue;
    const read = await readText(entry.file, languageOf(entry.file.path));
    if (typeof read !== 'string') lines += read.text.split('\n').length;
  }
  return lines;
}
