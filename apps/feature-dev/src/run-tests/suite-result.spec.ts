import { describe, expect, it } from 'vitest';
import type { SandboxOutcome } from '@devmesh/sandbox/outcome';
import { suiteResult } from './suite-result.js';

const exited = (exitCode: number, output = ''): SandboxOutcome => ({ kind: 'exited', exitCode, output, elapsedMs: 1 });

describe('the result of a suite', () => {
  it('is green for exit code 0 and nothing else', () => {
    expect(suiteResult(exited(0, 'Cannot find module "x"'), true)).toEqual({
      state: 'green',
      failed: [],
      why: 'passed',
      output: '',
    });
    expect(suiteResult(exited(1), false)).toMatchObject({ state: 'red', why: 'exit code 1' });
  });

  it.each<[string, SandboxOutcome]>([
    ['its time ran out', { kind: 'timed_out', limit: 'wall', output: '', elapsedMs: 1 }],
    ['its processor time ran out', { kind: 'timed_out', limit: 'cpu', output: '', elapsedMs: 1 }],
    ['it took too much memory', { kind: 'out_of_memory', output: '', elapsedMs: 1 }],
    ['it wrote too much', { kind: 'output_limit', output: '', elapsedMs: 1 }],
    ['it made too many files', { kind: 'too_many_files', output: '', elapsedMs: 1 }],
  ])('is red when %s', (why, outcome) => {
    expect(suiteResult(outcome, false)).toMatchObject({ state: 'red', why });
  });

  it.each([
    ["node's own runner", '✔ adds (0.5ms)\n✖ takes away (1.2ms)\nℹ fail 1\n', 'takes away'],
    ['TAP', 'ok 1 - adds\nnot ok 2 - takes away\n', 'takes away'],
    ['pytest', 'FAILED tests/test_sum.py::test_take - assert 1 == 2\n', 'tests/test_sum.py::test_take'],
    [
      'unittest',
      'FAIL: test_take (test_sum.Sums.test_take)\nFAILED (failures=1)\n',
      'test_take (test_sum.Sums.test_take)',
    ],
    ['go', '--- FAIL: TestTake (0.00s)\n', 'TestTake'],
    ['vitest', ' FAIL  src/sum.spec.ts > takes away\n', 'src/sum.spec.ts > takes away'],
    ['jest', '  ● sums › takes away\n', 'sums › takes away'],
  ])('names the tests that failed as %s does', (_runner, output, name) => {
    expect(suiteResult(exited(1, output), false).failed).toEqual([name]);
  });

  it.each([
    ["Error: Cannot find module 'express'", 'the package express'],
    ["Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'vitest' imported from /work/a.test.js", 'the package vitest'],
    ['/usr/bin/python3: No module named pytest', 'the Python module pytest'],
    ["ModuleNotFoundError: No module named 'flask'", 'the Python module flask'],
    ['sum.go:3:8: module lookup disabled by GOPROXY=off', 'modules of Go'],
    ['sh: 2: jest: not found', 'there is no jest'],
    ["timeout: failed to run command 'go': No such file or directory", 'there is no go'],
  ])('is not known where something is missing: %s', (output, why) => {
    const result = suiteResult(exited(127, output), true);
    expect(result).toMatchObject({ state: 'unrunnable', why: expect.stringContaining(why) });
    // With the change, what is missing was there before: the change took it.
    expect(suiteResult(exited(127, output), false).state).toBe('red');
  });

  it("takes a file of the repository's own that is missing for a fault of its own", () => {
    expect(suiteResult(exited(1, "Error: Cannot find module './sum.js'"), true).state).toBe('red');
  });

  it('is never green without a sandbox, and says why and what helps', () => {
    const outcome: SandboxOutcome = { kind: 'unavailable', why: 'no bwrap', cure: 'install it' };
    for (const isFirst of [true, false])
      expect(suiteResult(outcome, isFirst)).toMatchObject({
        state: 'unrunnable',
        why: 'there is no sandbox here: no bwrap (install it)',
      });
  });

  it('keeps the last lines, and no secret', () => {
    const token = `ghp_${'a1B2'.repeat(9)}`;
    const lines = Array.from({ length: 50 }, (_, i) => `line ${i}`);
    const result = suiteResult(exited(1, [...lines, `token ${token}`, `✖ sends ${token} (1ms)`].join('\n')), false);
    expect(result.output).toContain('line 49');
    expect(result.output).not.toContain('line 1\n');
    expect(JSON.stringify(result)).not.toContain(token);
    expect(result.failed).toEqual([expect.stringContaining('sends ghp_')]);
  });
});
