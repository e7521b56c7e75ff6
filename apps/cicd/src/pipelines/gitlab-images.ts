import type { ComponentReport } from '@devmesh/analysis/stack/component-report';
import { nodeInstallation } from '@devmesh/analysis/stack/installation';

/** Where a job of GitLab CI runs, and what of it is kept for the next run. Only folders of the repository can be kept. */
export interface JobImage {
  readonly image: (version: string) => string;
  readonly variables: Readonly<Record<string, string>>;
  readonly cached: readonly string[];
  /** Commands that bring what the image lacks. */
  readonly tools: readonly string[];
}

export function imageFor(report: ComponentReport): JobImage {
  switch (report.ecosystem) {
    case 'node': {
      const install = nodeInstallation(report);
      const pnpm = install?.manager === 'pnpm';
      return {
        image: (version) => `node:${version}-bookworm`,
        variables: pnpm
          ? { npm_config_store_dir: '$CI_PROJECT_DIR/.pnpm-store' }
          : { npm_config_cache: '$CI_PROJECT_DIR/.npm' },
        cached: [pnpm ? '.pnpm-store/' : '.npm/'],
        tools: pnpm ? [`npm install --global pnpm@${install.fetch ?? '10'}`] : [],
      };
    }
    case 'python':
      return {
        image: (version) => `python:${version}-bookworm`,
        variables: { PIP_CACHE_DIR: '$CI_PROJECT_DIR/.cache/pip' },
        cached: ['.cache/pip/'],
        tools: [],
      };
    case 'go':
      return {
        image: (version) => `golang:${version}-bookworm`,
        variables: { GOMODCACHE: '$CI_PROJECT_DIR/.go/mod', GOCACHE: '$CI_PROJECT_DIR/.go/build' },
        cached: ['.go/'],
        tools: [],
      };
    case 'java':
      return {
        image: (version) =>
          report.component.packageManager?.value === 'gradle'
            ? `gradle:8-jdk${version}`
            : `maven:3.9-eclipse-temurin-${version}`,
        variables:
          report.component.packageManager?.value === 'gradle'
            ? { GRADLE_USER_HOME: '$CI_PROJECT_DIR/.gradle' }
            : { MAVEN_OPTS: '-Dmaven.repo.local=$CI_PROJECT_DIR/.m2/repository' },
        cached: [report.component.packageManager?.value === 'gradle' ? '.gradle/' : '.m2/repository/'],
        tools: [],
      };
  }
}
