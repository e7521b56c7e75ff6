import { z } from 'zod';
import { folderOf } from '../stack/manifest.js';
import { readNodeManifest, type NodeManifest } from '../stack/node-manifest.js';
import { readPythonManifest, type PythonManifest } from '../stack/python-manifest.js';
import { isTestPath } from '../stack/source-facts.js';
import type { SourceTree } from '../tree/source-tree.js';

const PackageFields = z.object({
  name: z.string().optional().catch(undefined),
  private: z.boolean().optional().catch(undefined),
  bin: z
    .union([z.string(), z.record(z.string(), z.string())])
    .optional()
    .catch(undefined),
  repository: z
    .union([z.string(), z.object({ url: z.string() }).transform(({ url }) => url)])
    .optional()
    .catch(undefined),
  engines: z
    .object({ node: z.string().optional().catch(undefined) })
    .optional()
    .catch(undefined),
  exports: z.unknown().optional(),
  main: z.string().optional().catch(undefined),
  module: z.string().optional().catch(undefined),
  types: z.string().optional().catch(undefined),
  typings: z.string().optional().catch(undefined),
});
type PackageFields = z.infer<typeof PackageFields>;

export interface NodePackage extends NodeManifest {
  readonly fields: PackageFields;
}

export interface Packages {
  readonly node: readonly NodePackage[];
  readonly python: readonly PythonManifest[];
}

/** Every manifest of a package in the tree, those of fixtures left out. Throws `execution_cancelled` on abort. */
export async function readPackages(tree: SourceTree, signal?: AbortSignal): Promise<Packages> {
  const node: NodePackage[] = [];
  const python: PythonManifest[] = [];
  for (const { path, utf8 } of tree.files) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!utf8 || (name !== 'package.json' && name !== 'pyproject.toml') || isTestPath(path)) continue;
    await tree.breathe(signal);
    if (name === 'package.json') node.push(...readNodePackage(tree, folderOf(path)));
    else python.push(...[readPythonManifest(tree, folderOf(path), [])].filter((one) => one !== undefined));
  }
  return { node, python };
}

function readNodePackage(tree: SourceTree, root: string): NodePackage[] {
  const manifest = readNodeManifest(tree, root, []);
  if (!manifest) return [];
  const fields = PackageFields.safeParse(JSON.parse(manifest.text));
  return fields.success ? [{ ...manifest, fields: fields.data }] : [];
}
