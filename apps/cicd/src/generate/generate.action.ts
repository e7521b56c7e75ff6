import { implement } from '@devmesh/agent-kit/action-context';
import { detectStack } from '@devmesh/analysis/stack/detect-stack';
import { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { writeTreeFile } from '@devmesh/analysis/tree/write-file';
import { cicdGenerate } from '@devmesh/contracts/actions/cicd';
import { DevmeshError } from '@devmesh/contracts/errors';
import { existingPipelines, PIPELINE_PATH } from '../pipelines/existing-pipelines.js';
import { pipelineFile } from '../pipelines/pipeline-file.js';

export const generate = implement(cicdGenerate, async (ctx) => {
  ctx.progress('reading the repository');
  const checkout = await ctx.checkout(ctx.input.repository);
  const tree = await SourceTree.open(checkout.path, { signal: ctx.signal });
  const existing = existingPipelines(tree);
  const kept = existing.map(({ path, reason }) => ({ path, reason })).slice(0, 99);
  const checking = existing.find(({ checksPushes }) => checksPushes);
  if (checking)
    return { patch: null, jobs: [], kept, summary: `${checking.path} checks pushes already: nothing to write` };

  ctx.progress('detecting the stack');
  const report = await detectStack(tree, ctx.signal);
  const pipeline = pipelineFile(report.components);
  const notices = report.notices.map((notice) => `; ${notice}`).join('');
  if (!pipeline) {
    const summary = `no component has a command to lint, build or test it with${notices}`;
    return { patch: null, jobs: [], kept, summary: summary.slice(0, 500) };
  }
  ctx.progress(`writing ${PIPELINE_PATH}`);
  try {
    await writeTreeFile(checkout.path, PIPELINE_PATH, pipeline.content, 'new');
  } catch (error) {
    if (!(error instanceof DevmeshError) || error.code !== 'forbidden') throw error;
    kept.push({ path: PIPELINE_PATH, reason: error.message.slice(0, 300) });
    return { patch: null, jobs: [], kept, summary: error.message.slice(0, 500) };
  }
  const ids = pipeline.jobs.map(({ id }) => id).join(', ');
  const patch = await ctx.patch(checkout, {
    title: 'Check every push with GitHub Actions',
    body: `Jobs: ${ids}. Commands, versions and services are what manifests and code say.\n`,
  });
  if (!patch) {
    kept.push({ path: PIPELINE_PATH, reason: 'not written: the .gitignore of the repository names it' });
    return { patch, jobs: [], kept, summary: `${PIPELINE_PATH} is ignored by the repository: nothing to write` };
  }
  const jobs = pipeline.jobs.slice(0, 50).map(({ id, runs }) => ({ id, runs: runs.slice(0, 50) }));
  return { patch, jobs, kept, summary: `${PIPELINE_PATH} with ${jobs.length} job(s): ${ids}${notices}`.slice(0, 500) };
});
