import { runCommand, root } from './command.ts';
import { lockfileProblems } from './lockfile.ts';

export interface CheckOutcome {
  passed: boolean;
  /** What to show when it did not pass. */
  output: string;
}

export interface Check {
  name: string;
  /** What it looks at, and how to mend the simple cases. */
  hint: string;
  run(): Promise<CheckOutcome>;
}

/** Every check that needs no running code, in the order of the run; each counts as one. */
export const checks: Check[] = [
  tool('format', 'prettier; mend with: npx pnpm format', 'prettier', [
    '--check',
    '--log-level=warn',
    '--cache',
    '--cache-strategy=content',
    '.',
  ]),
  // Before lint: type-aware rules read the declarations of the other rooms.
  tool('types', 'tsc -b, sources and tools', 'tsc', ['-b', 'tsconfig.json', 'tools/tsconfig.json']),
  tool('lint', 'oxlint, with types; some mend themselves with: npx pnpm lint --fix', 'oxlint', [
    '--type-aware',
    '--deny-warnings',
    '--report-unused-disable-directives',
  ]),
  tool('boundaries', 'dependency-cruiser; who may import whom', 'depcruise', [
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'err-long',
    'apps',
    'libs',
    'tools/check',
    'tools/setup',
  ]),
  tool('unused', 'knip; files, exports and dependencies', 'knip', ['--no-progress', '--no-config-hints']),
  {
    name: 'lockfile',
    hint: 'builds for every platform, versions from the catalog',
    run: async () => {
      const problems = lockfileProblems(root);
      return { passed: problems.length === 0, output: problems.join('\n') };
    },
  },
];

function tool(name: string, hint: string, command: string, args: string[]): Check {
  return {
    name,
    hint,
    run: async () => {
      const { exitCode, output, timedOut } = await runCommand(command, args, { timeoutMs: 5 * 60_000 });
      return { passed: exitCode === 0, output: timedOut ? `${output}\nit did not end within 5 minutes` : output };
    },
  };
}
