import type { ComponentReport, StackReport } from '@devmesh/analysis/stack/component-report';
import { inFolder } from '@devmesh/analysis/stack/manifest';
import type { EditedFile } from '@devmesh/analysis/stack/line-edits';
import { isGenerated } from '@devmesh/analysis/stack/containers';
import type { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { composeFile, existingCompose, type BuiltComponent } from '../compose/compose-file.js';
import { KUBERNETES_FOLDER, kubernetesFiles } from '../kubernetes/manifests.js';
import { terraformFiles } from '../terraform/droplet.js';
import type { Image, NoImage } from '../images/image.js';
import { goImage } from '../images/go-image.js';
import { javaImage } from '../images/java-image.js';
import { nodeImage } from '../images/node-image.js';
import { improveDockerfile } from '../improve/dockerfile-edits.js';
import { improveDockerignore } from '../improve/dockerignore-edits.js';
import { pythonImage } from '../images/python-image.js';

export interface Proposal {
  /** New files by path; none of them is there yet. */
  readonly files: ReadonlyMap<string, string>;
  /** Existing files with small edits. */
  readonly edited: readonly EditedFile[];
  readonly kept: readonly { readonly path: string; readonly reason: string }[];
  /** Components without an image, with the reason. */
  readonly withoutImage: readonly { readonly name: string; readonly reason: string }[];
}

const MINE = 'it is there already and belongs to the repository';

/** What is missing of Dockerfile, .dockerignore and compose file. Pure but for reading the tree. */
export function proposeFiles(
  tree: SourceTree,
  report: StackReport,
  also: readonly ('kubernetes' | 'terraform')[] = [],
): Proposal {
  const files = new Map<string, string>();
  const kept = new Map<string, string>();
  const withoutImage: { name: string; reason: string }[] = [];
  const built: BuiltComponent[] = [];
  for (const path of report.dockerfiles) kept.set(path, MINE);
  for (const component of report.components) {
    const { root, name, port } = component.component;
    const dockerfile = inFolder(root, 'Dockerfile');
    const image = imageOf(tree, component, report.components);
    if (tree.exists(dockerfile)) {
      kept.set(dockerfile, MINE);
      // A generated image of before keeps the port and context that it was generated for.
      const context = 'content' in image && !component.dockerfiles.includes(dockerfile) ? image : undefined;
      built.push({
        report: component,
        dockerfile,
        context: context?.context ?? root,
        port: context?.port ?? port?.value,
      });
    } else if (component.dockerfiles[0] !== undefined) {
      built.push({ report: component, dockerfile: component.dockerfiles[0], context: root, port: port?.value });
    } else if ('reason' in image) {
      withoutImage.push({ name, reason: image.reason });
    } else if (!files.has(dockerfile)) {
      files.set(dockerfile, image.content);
      built.push({ report: component, dockerfile, context: image.context, port: image.port });
      const ignore = inFolder(image.context, '.dockerignore');
      if (tree.exists(ignore)) kept.set(ignore, MINE);
      else if (!files.has(ignore)) files.set(ignore, image.dockerignore);
    } else {
      withoutImage.push({ name, reason: `${dockerfile} is written for another component of the same folder` });
    }
  }
  const edited = improvements(tree, report);
  for (const { path } of edited) kept.delete(path);
  const compose = existingCompose((path) => tree.exists(path));
  if (compose !== undefined) kept.set(compose, MINE);
  else {
    const content = composeFile(built);
    if (content !== undefined) files.set('compose.yaml', content);
  }
  if (also.includes('kubernetes')) {
    const there = tree.files.find(({ path }) => path.startsWith(`${KUBERNETES_FOLDER}/`));
    if (there) kept.set(there.path, MINE);
    else for (const [path, content] of kubernetesFiles(built)) files.set(path, content);
  }
  if (also.includes('terraform')) {
    const terraform = tree.files.find(({ path }) => path.endsWith('.tf'));
    if (terraform) kept.set(terraform.path, MINE);
    else for (const [path, content] of terraformFiles(built)) files.set(path, content);
  }
  return { files, edited, kept: [...kept].map(([path, reason]) => ({ path, reason })), withoutImage };
}

/** Names go into instructions and shell commands as they are, so only plain ones do. */
const PLAIN_NAME = /^[\w@./-]+$/;

function imageOf(tree: SourceTree, report: ComponentReport, all: readonly ComponentReport[]): Image | NoImage {
  const { root, name } = report.component;
  const entry = report.component.entryPoint?.value ?? '';
  const others = report.workspace === undefined ? [] : all.map(({ component }) => component.root);
  if (![root, name, ...others].every((one) => PLAIN_NAME.test(one)) || /\s/.test(entry)) {
    return { reason: 'names with blanks or signs are not written into images' };
  }
  switch (report.ecosystem) {
    case 'node':
      return nodeImage(tree, report, all);
    case 'python':
      return pythonImage(tree, report);
    case 'go':
      return goImage(tree, report);
    case 'java':
      return javaImage(report);
  }
}

/** Edits of Dockerfiles that belong to a component, and of the .dockerignore beside them. */
function improvements(tree: SourceTree, report: StackReport): EditedFile[] {
  const found = new Map<string, EditedFile>();
  for (const { ecosystem, healthPath, component, dockerfiles } of report.components) {
    for (const path of dockerfiles) {
      const text = tree.text(path);
      if (text === undefined || isGenerated(text) || found.has(path)) continue;
      const image = improveDockerfile(path, text, { ecosystem, healthPath, port: component.port?.value });
      if (image) found.set(path, image);
      const ignore = inFolder(component.root, '.dockerignore');
      const ignored = tree.text(ignore);
      if (ignored === undefined || found.has(ignore) || !/^\s*COPY\s+(--\S+\s+)*\.\/?\s/im.test(text)) continue;
      const has = (name: string): boolean => tree.exists(inFolder(component.root, name));
      const better = improveDockerignore(ignore, ignored, has);
      if (better) found.set(ignore, better);
    }
  }
  return [...found.values()];
}
