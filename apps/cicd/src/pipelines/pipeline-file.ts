import type { ComponentReport } from '@devmesh/analysis/stack/component-report';
import { GENERATED_MARK } from '@devmesh/analysis/stack/containers';
import { testedVersions } from '@devmesh/analysis/stack/runtime-versions';
import { Document } from 'yaml';
import { jobId } from './job-ids.js';
import { serviceContainers, testEnvironment } from './service-containers.js';
import { stepsFor } from './steps.js';

export interface PipelineJob {
  readonly id: string;
  /** Commands in order. */
  readonly runs: readonly string[];
}

export interface Pipeline {
  readonly content: string;
  readonly jobs: readonly PipelineJob[];
}

const TIMEOUT_MINUTES = 15;

/** A GitHub Actions workflow with a job for each component that has something to check; undefined when none has. */
export function pipelineFile(components: readonly ComponentReport[]): Pipeline | undefined {
  const jobs: PipelineJob[] = [];
  const definitions: Record<string, unknown> = {};
  for (const report of components) {
    const versions = testedVersions(report);
    const steps = stepsFor(report, versions.length > 1);
    if (!steps) continue;
    const id = jobId(report, definitions);
    const { root, name } = report.component;
    const services = serviceContainers(report.testServices);
    const environment = testEnvironment(
      Object.keys(services),
      report.environment.map((variable) => variable.name),
    );
    definitions[id] = {
      name: versions.length > 1 ? `${name} on \${{ matrix.version }}` : name,
      'runs-on': 'ubuntu-24.04',
      'timeout-minutes': TIMEOUT_MINUTES,
      ...(versions.length > 1 ? { strategy: { 'fail-fast': false, matrix: { version: versions } } } : {}),
      ...(root === '.' ? {} : { defaults: { run: { 'working-directory': root } } }),
      ...(Object.keys(services).length > 0 ? { services } : {}),
      ...(Object.keys(environment).length > 0 ? { env: environment } : {}),
      steps,
    };
    jobs.push({ id, runs: steps.flatMap(({ run }) => run ?? []) });
  }
  if (jobs.length === 0) return undefined;
  const document = new Document(
    {
      name: 'CI',
      on: { push: {}, pull_request: {} },
      permissions: { contents: 'read' },
      concurrency: { group: 'ci-${{ github.ref }}', 'cancel-in-progress': true },
      jobs: definitions,
    },
    // Jobs share what is the same; a reader wants to see each whole.
    { aliasDuplicateObjects: false },
  );
  document.commentBefore = [
    ` ${GENERATED_MARK} from what manifests and code say. Yours to change: it is never written over.`,
    ' Actions are pinned by commit; the comment behind each is its tag.',
  ].join('\n');
  return { content: document.toString({ lineWidth: 0, singleQuote: true }), jobs };
}
