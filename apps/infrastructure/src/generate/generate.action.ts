import { implement } from '@devmesh/agent-kit/action-context';
import { detectStack } from '@devmesh/analysis/stack/detect-stack';
import { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { writeTreeFile } from '@devmesh/analysis/tree/write-file';
import { infrastructureGenerate } from '@devmesh/contracts/actions/infrastructure';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { FileEdit } from '@devmesh/contracts/file-edit';
import { proposeFiles } from './propose-files.js';

const MAX_KEPT = 100;
const MAX_EDITS = 200;

export const generate = implement(infrastructureGenerate, async (ctx) => {
  ctx.progress('reading the repository');
  const checkout = await ctx.checkout(ctx.input.repository);
  const tree = await SourceTree.open(checkout.path, { signal: ctx.signal });
  ctx.progress('detecting the stack');
  const report = await detectStack(tree, ctx.signal);
  const proposal = proposeFiles(tree, report, ctx.input.also ?? []);
  const kept = [...proposal.kept];
  const written: string[] = [];
  for (const [path, content] of proposal.files) {
    ctx.progress(`writing ${path}`);
    try {
      await writeTreeFile(checkout.path, path, content, 'new');
      written.push(path);
    } catch (error) {
      if (!(error instanceof DevmeshError) || error.code !== 'forbidden') throw error;
      kept.push({ path, reason: error.message.slice(0, 300) });
    }
  }
  for (const { path, content } of proposal.edited) {
    ctx.progress(`improving ${path}`);
    await writeTreeFile(checkout.path, path, content, 'replace');
    written.push(path);
  }
  const edits = proposal.edited.flatMap((file) => file.edits);
  const patch =
    written.length === 0
      ? null
      : await ctx.patch(checkout, {
          title: titleFor([...proposal.files.keys()].filter((path) => written.includes(path))),
          body: bodyFor(written, edits),
        });
  const ignored = written.filter((path) => patch?.files.includes(path) !== true);
  for (const path of ignored) kept.push({ path, reason: 'not written: the .gitignore of the repository names it' });
  const components = report.components.map(({ component }) => component.name);
  const parts = [
    components.length === 0
      ? 'no component of Node.js, Python, Go or Java found'
      : `components: ${components.join(', ')}`,
    patch === null ? 'nothing to write' : `written: ${written.filter((path) => !ignored.includes(path)).join(', ')}`,
    ...proposal.withoutImage.map(({ name, reason }) => `no image for ${name}: ${reason}`),
    ...report.notices,
  ];
  return {
    stack: report.stack,
    patch,
    edits: edits.slice(0, MAX_EDITS),
    kept: kept.slice(0, MAX_KEPT),
    summary: shorten(parts.join('; ')),
  };
});

function titleFor(written: readonly string[]): string {
  const images = written.filter((path) => path.endsWith('Dockerfile')).length;
  const compose = written.includes('compose.yaml');
  if (images > 0 && compose) return 'Add container images and a compose file';
  if (images > 0) return 'Add container images';
  if (compose) return 'Add a compose file';
  return written.length > 0 ? 'Add files for deployment' : 'Improve container images';
}

function bodyFor(written: readonly string[], edits: readonly FileEdit[]): string {
  const files = written.filter((path) => !edits.some((edit) => edit.path === path)).map((path) => `- ${path}`);
  const said = edits.map(({ path, line, change, reason }) => `- ${path}:${line}: ${change}, because ${reason}`);
  return [
    ...(files.length > 0 ? ['Written from what the manifests and the code say:', ...files] : []),
    ...(said.length > 0 ? ['Small edits of what was there:', ...said] : []),
    '',
  ]
    .join('\n')
    .slice(0, 19_000);
}

function shorten(text: string): string {
  return text.length > 500 ? `${text.slice(0, 499)}…` : text;
}
