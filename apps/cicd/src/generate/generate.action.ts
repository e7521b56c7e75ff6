import { implement } from '@devmesh/agent-kit/action-context';
import { isGenerated } from '@devmesh/analysis/stack/containers';
import { detectStack } from '@devmesh/analysis/stack/detect-stack';
import { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { writeTreeFile } from '@devmesh/analysis/tree/write-file';
import { cicdGenerate } from '@devmesh/contracts/actions/cicd';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { FileEdit } from '@devmesh/contracts/file-edit';
import { improveWorkflow } from '../improve/workflow-edits.js';
import { existingPipelines, isWorkflow } from '../pipelines/existing-pipelines.js';
import { writtenPipeline, type WrittenPipeline } from './written-pipeline.js';

/** Texts over this size are no workflow that somebody wrote. */
const MAX_BYTES = 256 * 1024;

export const generate = implement(cicdGenerate, async (ctx) => {
  ctx.progress('reading the repository');
  const checkout = await ctx.checkout(ctx.input.repository);
  const tree = await SourceTree.open(checkout.path, { signal: ctx.signal });
  const existing = existingPipelines(tree);
  const kept = new Map(existing.slice(0, 90).map(({ path, reason }) => [path, reason]));
  const edits: FileEdit[] = [];
  for (const { path } of existing) {
    const text = isWorkflow(path) ? tree.text(path, MAX_BYTES) : undefined;
    const edited = text === undefined || isGenerated(text) ? undefined : improveWorkflow(path, text);
    if (!edited) continue;
    ctx.progress(`improving ${path}`);
    await writeTreeFile(checkout.path, path, edited.content, 'replace');
    edits.push(...edited.edits);
    kept.delete(path);
  }

  const said: string[] = [];
  let written: WrittenPipeline | undefined;
  const provider = ctx.input.provider ?? 'auto';
  // Asked for one system, only its own pipelines count.
  const checking = existing.find(
    ({ path, checksPushes }) => checksPushes && (provider === 'auto' || isWorkflow(path) === (provider === 'github')),
  );
  if (checking) said.push(`${checking.path} checks pushes already: no pipeline to write`);
  else {
    ctx.progress('detecting the stack');
    const report = await detectStack(tree, ctx.signal);
    written = writtenPipeline(tree, report.components, provider);
    said.push(
      written
        ? `${written.path} with ${written.jobs.length} job(s): ${written.jobs.map(({ id }) => id).join(', ')}`
        : 'no component has a command to lint, build or test it with',
      ...report.notices,
    );
  }
  if (written) {
    ctx.progress(`writing ${written.path}`);
    try {
      await writeTreeFile(checkout.path, written.path, written.content, 'new');
    } catch (error) {
      if (!(error instanceof DevmeshError) || error.code !== 'forbidden') throw error;
      kept.set(written.path, error.message.slice(0, 300));
      said.unshift(error.message);
      written = undefined;
    }
  }
  if (edits.length > 0)
    said.push(`${edits.length} small edit(s) of ${new Set(edits.map(({ path }) => path)).size} file(s)`);
  const patch =
    written || edits.length > 0
      ? await ctx.patch(checkout, { title: titleOf(written), body: bodyOf(written, edits) })
      : null;
  if (written && patch?.files.includes(written.path) !== true) {
    kept.set(written.path, 'not written: the .gitignore of the repository names it');
    said.unshift(`${written.path} is ignored by the repository: nothing to write`);
    written = undefined;
  }
  return {
    patch,
    edits: edits.slice(0, 200),
    jobs: (written?.jobs ?? []).slice(0, 50).map(({ id, runs }) => ({ id, runs: runs.slice(0, 50) })),
    kept: [...kept].map(([path, reason]) => ({ path, reason })),
    summary: said.join('; ').slice(0, 500),
  };
});

function titleOf(written: WrittenPipeline | undefined): string {
  return written ? `Check every push with ${written.system}` : 'Harden the pipelines';
}

function bodyOf(written: WrittenPipeline | undefined, edits: readonly FileEdit[]): string {
  const said = edits.map(({ path, line, change, reason }) => `- ${path}:${line}: ${change}, because ${reason}`);
  return [
    ...(written
      ? [
          `Jobs: ${written.jobs.map(({ id }) => id).join(', ')}. Commands, versions and services are what manifests and code say.`,
        ]
      : []),
    ...(said.length > 0 ? ['Small edits of what was there:', ...said] : []),
    '',
  ]
    .join('\n')
    .slice(0, 19_000);
}
