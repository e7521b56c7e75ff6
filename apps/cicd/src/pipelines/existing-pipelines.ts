import type { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { parse } from 'yaml';

export interface ExistingPipeline {
  readonly path: string;
  readonly reason: string;
  /** Whether it checks what is pushed, so that a second pipeline would only repeat it. */
  readonly checksPushes: boolean;
}

export const PIPELINE_PATH = '.github/workflows/ci.yml';

const OTHER_SYSTEMS =
  /^(\.gitlab-ci\.ya?ml|\.circleci\/config\.ya?ml|Jenkinsfile|azure-pipelines\.ya?ml|\.travis\.ya?ml|bitbucket-pipelines\.ya?ml|\.drone\.ya?ml|\.woodpecker\.ya?ml|\.woodpecker\/.+|\.buildkite\/.+\.ya?ml)$/;
const WORKFLOW = /^\.github\/workflows\/[^/]+\.ya?ml$/;
const MINE = 'it is there already and belongs to the repository';

/** Whether a path is that of a workflow of GitHub Actions. */
export function isWorkflow(path: string): boolean {
  return WORKFLOW.test(path);
}

/** Pipelines that the repository has, of GitHub Actions and others. */
export function existingPipelines(tree: SourceTree): ExistingPipeline[] {
  const found: ExistingPipeline[] = [];
  for (const { path } of tree.files) {
    if (OTHER_SYSTEMS.test(path)) found.push({ path, reason: MINE, checksPushes: true });
    if (isWorkflow(path))
      found.push({ path, reason: MINE, checksPushes: path === PIPELINE_PATH || runsOnPushes(tree.text(path)) });
  }
  if (tree.exists(PIPELINE_PATH) && !tree.file(PIPELINE_PATH)) {
    found.push({ path: PIPELINE_PATH, reason: 'it is a link, which is left as it is', checksPushes: true });
  }
  return found;
}

/** What can't be read is taken for a pipeline that somebody cares about. */
function runsOnPushes(text: string | undefined): boolean {
  let workflow: unknown;
  try {
    workflow = parse(text ?? '', { version: '1.2', maxAliasCount: 50 });
  } catch {
    return true;
  }
  if (typeof workflow !== 'object' || workflow === null || !('on' in workflow)) return true;
  const { on } = workflow;
  const push: unknown = typeof on === 'object' && on !== null && 'push' in on ? on.push : undefined;
  // Pushes of tags alone are releases.
  if (typeof push === 'object' && push !== null && 'tags' in push && !('branches' in push)) return false;
  return /\b(push|pull_request)\b/.test(JSON.stringify(on));
}
