import type { ComponentReport } from '@devmesh/analysis/stack/component-report';
import { GENERATED_MARK } from '@devmesh/analysis/stack/containers';
import { testedVersions } from '@devmesh/analysis/stack/runtime-versions';
import { Document } from 'yaml';
import { imageFor } from './gitlab-images.js';
import { jobId } from './job-ids.js';
import type { Pipeline, PipelineJob } from './pipeline-file.js';
import { gitlabServices, testEnvironment } from './service-containers.js';
import { stepsFor } from './steps.js';

export const GITLAB_PATH = '.gitlab-ci.yml';

const TIMEOUT = '15 minutes';

/** A pipeline of GitLab CI with a job for each component that has something to check; undefined when none has. */
export function gitlabFile(components: readonly ComponentReport[]): Pipeline | undefined {
  const jobs: PipelineJob[] = [];
  const definitions: Record<string, unknown> = {};
  for (const report of components) {
    const steps = stepsFor(report, false);
    const versions = testedVersions(report);
    const [first = ''] = versions;
    if (!steps) continue;
    const id = jobId(report, definitions);
    const { root } = report.component;
    const own = imageFor(report);
    const commands = steps.flatMap((step) =>
      step.run === undefined
        ? []
        : [{ setup: isSetup(step.name), run: inFolderOf(step['working-directory'] ?? root, plainRun(step.run)) }],
    );
    const services = gitlabServices(report.testServices);
    const variables = {
      ...own.variables,
      ...testEnvironment(
        services.map(({ alias }) => alias),
        report.environment.map(({ name }) => name),
        'names',
      ),
    };
    const setup = [...own.tools, ...commands.filter((one) => one.setup).map(({ run }) => run)];
    definitions[id] = {
      stage: 'test',
      image: own.image(versions.length > 1 ? '$VERSION' : first),
      ...(versions.length > 1 ? { parallel: { matrix: [{ VERSION: versions }] } } : {}),
      ...(services.length > 0 ? { services } : {}),
      ...(Object.keys(variables).length > 0 ? { variables } : {}),
      cache: {
        key: report.lockfile === undefined ? `${id}-$CI_JOB_IMAGE` : { files: [report.lockfile], prefix: id },
        paths: own.cached,
      },
      ...(setup.length > 0 ? { before_script: setup } : {}),
      script: commands.filter((one) => !one.setup).map(({ run }) => run),
    };
    jobs.push({ id, runs: steps.flatMap(({ run }) => run ?? []) });
  }
  if (jobs.length === 0) return undefined;
  const document = new Document(
    {
      workflow: {
        auto_cancel: { on_new_commit: 'interruptible' },
        rules: [
          { if: '$CI_PIPELINE_SOURCE == "merge_request_event"' },
          // The pipeline of the merge request checks the same commit.
          { if: '$CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS', when: 'never' },
          { if: '$CI_COMMIT_BRANCH' },
        ],
      },
      stages: ['test'],
      default: { interruptible: true, timeout: TIMEOUT },
      ...definitions,
    },
    { aliasDuplicateObjects: false },
  );
  document.commentBefore = ` ${GENERATED_MARK} from what manifests and code say. Yours to change: it is never written over.`;
  return { content: document.toString({ lineWidth: 0, singleQuote: true }), jobs };
}

/** Steps that only prepare. */
function isSetup(name: string | undefined): boolean {
  return name !== 'Lint' && name !== 'Build' && name !== 'Test';
}

/** A job of GitLab starts in the root of the repository; a subshell keeps the next command there. */
function inFolderOf(folder: string, command: string): string {
  return folder === '.' ? command : `(cd ${folder} && ${command})`;
}

/** The images of Python have pip alone, and are thrown away after the job. */
function plainRun(command: string): string {
  return command.replace(/^pipx install /, 'pip install ');
}
