import type { SourceFile, SourceTree } from '@devmesh/analysis/tree/source-tree';
import { writeSections } from './markers.js';

const MAX_BYTES = 1024 ** 2;

/** A document as it is to be: `text` is undefined when it stays, `problem` says why it is left alone. */
export type WrittenDocument =
  { readonly text: string | undefined; readonly isNew: boolean } | { readonly problem: string };

/** Puts sections into a document of the tree, or into a new one that begins with `title`. Nothing is written to disk. */
export function writeDocument(
  tree: SourceTree,
  path: string,
  existing: SourceFile | undefined,
  title: string,
  sections: ReadonlyMap<string, string>,
): WrittenDocument {
  if (!existing && tree.exists(path)) return { problem: `${path} is a link and is left as it is` };
  // Read as bytes, so that a byte order mark and every other byte outside the markers comes back as it was.
  const before = existing ? tree.read(existing, MAX_BYTES) : Buffer.alloc(0);
  if (!before) return { problem: `${path} is larger than 1 MiB and is left as it is` };
  const text = decode(before);
  if (text === undefined) return { problem: `${path} is not UTF-8 and is left as it is` };
  const written = writeSections(existing ? text : `# ${title}\n`, sections);
  if ('problem' in written) return { problem: `${path} is left as it is: ${written.problem}` };
  return { text: written.text === text ? undefined : written.text, isNew: !existing };
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
