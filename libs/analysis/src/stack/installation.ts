import type { ComponentReport } from './component-report.js';
import { folderOf } from './manifest.js';

/** How a component of Node.js is installed: with which tool, from which folder, by which commands. */
export interface NodeInstallation {
  readonly manager: 'npm' | 'pnpm' | 'yarn';
  /** Folder where the install command runs: the component's, or its workspace's. */
  readonly folder: string;
  /** Exact when a lockfile fixes the versions. */
  readonly frozen: boolean;
  /** Yarn 2 and later. */
  readonly modern: boolean;
  /** Version of the package manager to fetch; undefined where it comes with Node.js. */
  readonly fetch: string | undefined;
  readonly all: string;
  readonly productionOnly: string;
  readonly prune: string | undefined;
}

/** Version of pnpm where the repository names none; reads lockfiles of pnpm 9 too. */
const PNPM = '10';

/** Undefined for package managers that are not known here, and where none could be told. */
export function nodeInstallation(report: ComponentReport): NodeInstallation | undefined {
  const manager = report.component.packageManager?.value;
  const folder =
    report.workspace ?? (report.lockfile === undefined ? report.component.root : folderOf(report.lockfile));
  const frozen = report.lockfile !== undefined;
  const version = report.packageManagerVersion;
  const base = { folder, frozen, modern: false };
  switch (manager) {
    case 'npm': {
      const all = frozen ? 'npm ci' : 'npm install';
      return {
        ...base,
        manager,
        fetch: undefined,
        all,
        productionOnly: `${all} --omit=dev`,
        prune: 'npm prune --omit=dev',
      };
    }
    case 'pnpm': {
      const all = `pnpm install${frozen ? ' --frozen-lockfile' : ''}`;
      return {
        ...base,
        manager,
        fetch: version ?? PNPM,
        all,
        productionOnly: `${all} --prod`,
        prune: 'pnpm prune --prod',
      };
    }
    case 'yarn': {
      if (version !== undefined && !version.startsWith('1.')) {
        const all = frozen ? 'yarn install --immutable' : 'yarn install';
        return {
          ...base,
          manager,
          modern: true,
          fetch: version,
          all,
          productionOnly: 'yarn workspaces focus --production',
          prune: 'yarn workspaces focus --production',
        };
      }
      const all = frozen ? 'yarn install --frozen-lockfile' : 'yarn install';
      return {
        ...base,
        manager,
        fetch: undefined,
        all,
        productionOnly: `${all} --production`,
        prune: `${all} --production --ignore-scripts --prefer-offline`,
      };
    }
    default:
      return undefined;
  }
}
