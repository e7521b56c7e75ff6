import type { ComponentReport } from '@devmesh/analysis/stack/component-report';
import type { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { PIPELINE_PATH } from '../pipelines/existing-pipelines.js';
import { GITLAB_PATH, gitlabFile } from '../pipelines/gitlab-file.js';
import { pipelineFile, type Pipeline } from '../pipelines/pipeline-file.js';

export interface WrittenPipeline extends Pipeline {
  readonly path: string;
  readonly system: 'GitHub Actions' | 'GitLab CI';
}

/** Files that only a project on GitLab has. */
const OF_GITLAB = /^(\.gitlab\/.+|CODEOWNERS\.gitlab)$/;

/** The pipeline that is missing, for the system that was asked for or that the repository is made for. */
export function writtenPipeline(
  tree: SourceTree,
  components: readonly ComponentReport[],
  provider: 'auto' | 'github' | 'gitlab',
): WrittenPipeline | undefined {
  const isOfGitHub = tree.files.some(({ path }) => path.startsWith('.github/'));
  const gitlab =
    provider === 'gitlab' ||
    (provider === 'auto' && !isOfGitHub && tree.files.some(({ path }) => OF_GITLAB.test(path)));
  const pipeline = gitlab ? gitlabFile(components) : pipelineFile(components);
  if (!pipeline) return undefined;
  return gitlab
    ? { ...pipeline, path: GITLAB_PATH, system: 'GitLab CI' }
    : { ...pipeline, path: PIPELINE_PATH, system: 'GitHub Actions' };
}
