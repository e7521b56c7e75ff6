import { beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from './command.ts';

interface Cruise {
  modules: { source: string }[];
  summary: { violations: { from: string; rule: { name: string } }[] };
}

/** A tree of rooms that breaks each rule once, in a file named after what it does. */
const fixture = 'tools/fixtures/boundaries';

describe('the boundaries between the rooms', () => {
  let cruise: Cruise;

  beforeAll(async () => {
    const { output } = await runCommand(
      'depcruise',
      ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', fixture],
      { timeoutMs: 30_000 },
    );
    cruise = JSON.parse(output) as Cruise;
  });

  const brokenBy = (file: string): string[] =>
    cruise.summary.violations.filter(({ from }) => from === `${fixture}/${file}`).map(({ rule }) => rule.name);

  it.each([
    ['apps/one/src/imports-app.ts', 'app-imports-app'],
    ['apps/one/src/imports-type-of-app.ts', 'app-imports-app'],
    ['apps/one/src/imports-room-by-path.ts', 'room-imports-inside-of-another'],
    ['apps/one/src/imports-testing.ts', 'product-imports-tests'],
    ['libs/kit/src/imports-app.ts', 'lib-imports-app'],
    ['libs/kit/src/imports-spec.ts', 'product-imports-tests'],
    ['libs/kit/src/cycle-a.ts', 'no-cycle'],
    ['libs/kit/src/index.ts', 'no-barrel'],
    ['libs/kit/src/undeclared.ts', 'undeclared-dependency'],
    ['libs/kit/src/missing.ts', 'unresolved-import'],
    ['libs/contracts/src/imports-node.ts', 'contracts-import-only-zod'],
    ['libs/contracts/src/imports-lib.ts', 'contracts-import-only-zod'],
    ['libs/workflow/src/imports-lib.ts', 'workflow-imports-only-contracts-and-parsers'],
    ['libs/workflow/src/imports-clock.ts', 'workflow-imports-only-contracts-and-parsers'],
  ])('%s breaks %s', (file, rule) => {
    expect(brokenBy(file)).toContain(rule);
  });

  it('leaves alone what a room may do', () => {
    expect(cruise.modules.map(({ source }) => source)).toContain(`${fixture}/apps/one/src/fine.ts`);
    expect(brokenBy('apps/one/src/fine.ts')).toEqual([]);
  });

  it('follows a package of the workspace to its source', async () => {
    const { output } = await runCommand(
      'depcruise',
      ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'libs/agent-kit/src'],
      { timeoutMs: 30_000 },
    );
    const sources = (JSON.parse(output) as Cruise).modules.map(({ source }) => source);
    expect(sources.filter((source) => source.startsWith('libs/contracts/src/'))).not.toEqual([]);
  });
});
