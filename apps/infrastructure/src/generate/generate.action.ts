import { implement } from '@devmesh/agent-kit/action-context';
import { detectStack } from '@devmesh/analysis/stack/detect-stack';
import { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { writeTreeFile } from '@devmesh/analysis/tree/write-file';
import { infrastructureGenerate } from '@devmesh/contracts/actions/infrastructure';
import { DevmeshError } from '@devmesh/contracts/errors';
import { proposeFiles } from './propose-files.js';

const MAX_KEPT = 100;

export const generate = implement(infrastructureGenerate, async (ctx) => {
  ctx.progress('reading the repository');
  const checkout = await ctx.checkout(ctx.input.repository);
  const tree = await SourceTree.open(checkout.path, { signal: ctx.signal });
  ctx.progress('detecting the stack');
  const report = await detectStack(tree, ctx.signal);
  const proposal = proposeFiles(tree, report);
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
  const patch =
    written.length === 0 ? null : await ctx.patch(checkout, { title: titleFor(written), body: bodyFor(written) });
  const ignored = written.filter((path) => patch?.files.includes(path) !== true);
  for (const path of ignored) kept.push({ path, reason: 'not written: the .gitignore of the repository names it' });
  const components = report.components.map(({ component }) => component.name);
  const parts = [
    components.length === 0 ? 'no component of Node.js or Python found' : `components: ${components.join(', ')}`,
    patch === null ? 'nothing to write' : `written: ${written.filter((path) => !ignored.includes(path)).join(', ')}`,
    ...proposal.withoutImage.map(({ name, reason }) => `no image for ${name}: ${reason}`),
    ...report.notices,
  ];
  return { stack: report.stack, patch, kept: kept.slice(0, MAX_KEPT), summary: shorten(parts.join('; ')) };
});

function titleFor(written: readonly string[]): string {
  const images = written.filter((path) => path.endsWith('Dockerfile')).length;
  const compose = written.includes('compose.yaml');
  if (images > 0 && compose) return 'Add container images and a compose file';
  return images > 0 ? 'Add container images' : 'Add a compose file';
}

function bodyFor(written: readonly string[]): string {
  return `Written from what the manifests and the code say:\n${written.map((path) => `- ${path}`).join('\n')}\n`;
}

function shorten(text: string): string {
  return text.length > 500 ? `${text.slice(0, 499)}…` : text;
}
