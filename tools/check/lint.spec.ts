import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, runCommand } from './command.ts';

interface Report {
  diagnostics: { filename: string; code: string; message: string; help?: string }[];
}

const wait = 'export async function wait(): Promise<void> {}\n';

/** Files that break one house rule each. */
const broken: [rule: string, file: string, text: string][] = [
  ['typescript(no-explicit-any)', 'src/any.ts', 'export const x: any = 1;\n'],
  ['typescript(no-unsafe-assignment)', 'src/unsafe.ts', 'export const x: { a: number } = JSON.parse("{}");\n'],
  ['typescript(no-floating-promises)', 'src/floating.ts', `${wait}export function f(): void {\n  wait();\n}\n`],
  [
    'typescript(no-misused-promises)',
    'src/misused.ts',
    `${wait}export function f(): number {\n  if (wait()) return 1;\n  return 2;\n}\n`,
  ],
  [
    'typescript(switch-exhaustiveness-check)',
    'src/switch.ts',
    `export function f(state: 'on' | 'off'): void {\n  switch (state) {\n    case 'on':\n      return;\n  }\n}\n`,
  ],
  ['typescript(ban-ts-comment)', 'src/comment.ts', '// @ts-ignore\nexport const x: string = 1;\n'],
  ['typescript(no-non-null-assertion)', 'src/assertion.ts', 'export const x = (y: string | null): string => y!;\n'],
  ['import(no-cycle)', 'src/cycle-a.ts', "import { b } from './cycle-b.js';\nexport const a = (): number => b();\n"],
  ['import(no-cycle)', 'src/cycle-b.ts', "import { a } from './cycle-a.js';\nexport const b = (): number => a();\n"],
  ['import(no-default-export)', 'src/default.ts', 'const x = 1;\nexport default x;\n'],
  ['oxc(no-barrel-file)', 'src/index.ts', "export * from './any.js';\n"],
  ['eslint(no-restricted-properties)', 'src/environment.ts', "export const x = process.env['X'];\n"],
  ['eslint(no-restricted-globals)', 'src/console.ts', "console.log('x');\nexport {};\n"],
  [
    'eslint(no-restricted-imports)',
    'src/inside.ts',
    "import { x } from '@devmesh/contracts/src/x.js';\nexport const y = x;\n",
  ],
  ['vitest(no-disabled-tests)', 'src/skip.spec.ts', "import { it } from 'vitest';\nit.skip('x', () => {});\n"],
  ['vitest(no-focused-tests)', 'src/only.spec.ts', "import { it } from 'vitest';\nit.only('x', () => {});\n"],
  ['vitest(warn-todo)', 'src/todo.spec.ts', "import { it } from 'vitest';\nit.todo('x');\n"],
];

/** Files that may do what is forbidden elsewhere. */
const allowed: [file: string, text: string][] = [
  ['src/config.ts', "export const x = process.env['X'];\n"],
  ['apps/cli/src/print.ts', "console.log('x');\nexport {};\n"],
  ['vitest.config.ts', 'export default {};\n'],
];

describe('the house rules', () => {
  let folder: string;
  let report: Report;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'devmesh-lint-'));
    for (const [file, text] of [...broken.map(([, file, text]) => [file, text] as const), ...allowed]) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
    copyFileSync(join(root, 'tsconfig.base.json'), join(folder, 'tsconfig.json'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const { output } = await runCommand('oxlint', ['--type-aware', '-f', 'json', 'src', 'apps', 'vitest.config.ts'], {
      timeoutMs: 30_000,
      folder,
    });
    report = JSON.parse(output) as Report;
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const rulesBrokenBy = (file: string): string[] =>
    report.diagnostics.filter(({ filename }) => filename === file).map(({ code }) => code);

  it.each(broken)('%s refuses %s', (rule, file) => {
    expect(rulesBrokenBy(file)).toContain(rule);
  });

  it.each(allowed)('%s may do what it does', (file) => {
    expect(rulesBrokenBy(file)).toEqual([]);
  });

  it('say what to do instead where the tool lets a rule speak', () => {
    const text = JSON.stringify(report.diagnostics);
    expect(text).toContain('pass the value in');
    expect(text).toContain('Log through the logger');
    expect(text).toContain('Import the room by its name');
  });
});
