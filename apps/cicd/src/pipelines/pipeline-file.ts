import type { ComponentReport } from '@devmesh/analysis/stack/component-report';
import { GENERATED_MARK } from '@devmesh/analysis/stack/containers';
import { Document } from 'yaml';
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
    const steps = stepsFor(report);
    if (!steps) continue;
    const id = idFor(report, definitions);
    const { root, name } = report.component;
    const services = serviceContainers(report.testServices);
    const environment = testEnvironment(
      Object.keys(services),
      report.environment.map((variable) => variable.name),
    );
    definitions[id] = {
      name,
      'runs-on': 'ubuntu-24.04',
      'timeout-minutes': TIMEOUT_MINUTES,
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

/** Letters, digits, "-" and "_", by folder, unlike every other. */
function idFor({ component }: ComponentReport, taken: Readonly<Record<string, unknown>>): string {
  const wanted =
    (component.root === '.' ? component.name : (component.root.split('/').at(-1) ?? ''))
      .toLowerCase()
      .replace(/[^a-z0-9_-]+/g, '-')
      .replace(/^[^a-z_]+|-+$/g, '')
      .slice(0, 60) || 'component';
  let id = wanted;
  for (let i = 2; Object.hasOwn(taken, id); i += 1) id = `${wanted}-${i}`;
  return id;
}
