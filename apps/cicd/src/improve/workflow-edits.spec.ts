import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { improveWorkflow } from './workflow-edits.js';

const PATH = '.github/workflows/ci.yml';
const CI = `# what we check
name: CI # short
on: [push, pull_request]

# the only job
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - name: Node
        uses: actions/setup-node@v4.4.0 # as in .nvmrc
        with: { node-version: 22 }
      - run: npm test   # all of them
`;

describe('a workflow that somebody wrote', () => {
  test('gets rights, bounds and pins, each with its reason, and keeps every other byte', () => {
    const edited = improveWorkflow(PATH, CI);
    expect(edited?.content).toBe(`# what we check
name: CI # short
on: [push, pull_request]

permissions:
  contents: read

concurrency:
  group: \${{ github.workflow }}-\${{ github.ref }}
  cancel-in-progress: \${{ github.event_name == 'pull_request' }}

# the only job
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    steps:
      - uses: actions/checkout@34e114876b0b11c390a56381ad16ebd13914f8d5 # v4.3.1
        with:
          persist-credentials: false
      - name: Node
        uses: actions/setup-node@49933ea5288caeca8642d1e84afbd3f7d6820020 # v4.4.0 as in .nvmrc
        with: { node-version: 22 }
      - run: npm test   # all of them
`);
    expect(edited?.edits.map(({ line, change }) => [line, change])).toEqual([
      [5, 'add permissions: contents: read'],
      [5, 'add concurrency that cancels overtaken runs of pull requests'],
      [9, 'add timeout-minutes: 60'],
      [10, 'pin actions/checkout@v4 to the commit of v4.3.1'],
      [11, 'add persist-credentials: false'],
      [12, 'pin actions/setup-node@v4.4.0 to the commit of v4.4.0'],
    ]);
    for (const { reason } of edited?.edits ?? []) expect(reason.length).toBeGreaterThan(20);
    expect(improveWorkflow(PATH, edited?.content ?? '')).toBeUndefined();
  });

  test.each([
    ['pushes', '      - run: git push\n'],
    ['hands its token on', '      - run: ./x\n        env:\n          T: ${{ secrets.GITHUB_TOKEN }}\n'],
    ['uses what is not known', '      - uses: somebody/release@v1\n'],
  ])('keeps its rights when it %s', (_what, step) => {
    const edited = improveWorkflow(PATH, CI + step);
    expect(edited?.content).not.toMatch(/permissions|persist-credentials|concurrency/);
    expect(edited?.content).toContain('timeout-minutes');
  });

  test('keeps the ends of its lines', () => {
    const edited = improveWorkflow(PATH, CI.replaceAll('\n', '\r\n'));
    expect(edited?.content.replaceAll('\r\n', '')).not.toContain('\n');
    expect(edited?.content.replaceAll('\r\n', '\n')).toBe(improveWorkflow(PATH, CI)?.content);
  });

  test.each([
    ['branches', 'uses: actions/checkout@main'],
    ['versions that the table lacks', 'uses: actions/checkout@v1'],
    ['commits', 'uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8'],
  ])('pins no %s', (_what, uses) => {
    const text = CI.replace('uses: actions/checkout@v4', uses);
    expect(improveWorkflow(PATH, text)?.content).toContain(`${uses}\n`);
  });

  test('puts a limit before a list of runners, and beside settings that are there', () => {
    const text = CI.replace('runs-on: ubuntu-24.04', 'runs-on:\n      - self-hosted').replace(
      'actions/checkout@v4\n',
      'actions/checkout@v4\n        with:\n          fetch-depth: 0\n',
    );
    const workflow = parse(improveWorkflow(PATH, text)?.content ?? '') as {
      jobs: { test: { 'timeout-minutes': number; 'runs-on': string[]; steps: { with: unknown }[] } };
    };
    expect(workflow.jobs.test).toMatchObject({ 'timeout-minutes': 60, 'runs-on': ['self-hosted'] });
    expect(workflow.jobs.test.steps[0]?.with).toEqual({ 'persist-credentials': false, 'fetch-depth': 0 });
  });

  test.each([['nothing'], ['a: b: c'], ['{ on: push, jobs: {} }'], ['on: push\n']])('leaves %j', (text) => {
    expect(improveWorkflow(PATH, text)).toBeUndefined();
  });
});
