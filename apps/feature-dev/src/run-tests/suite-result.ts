import type { SandboxOutcome } from '@devmesh/sandbox/outcome';
import { redactText } from '@devmesh/service-kit/logging/redact';

/** What became of one suite on one tree. */
export interface SuiteResult {
  readonly state: 'green' | 'red' | 'unrunnable';
  /** Names of tests that failed, as far as the runner says; masked. */
  readonly failed: readonly string[];
  /** In words: how it ended, or why it can't be run. */
  readonly why: string;
  /** The last lines of output; masked. Empty when it was green. */
  readonly output: string;
}

const OUTPUT_LINES = 20;
const OUTPUT_CHARACTERS = 1500;
const MAX_FAILED = 10;

/** How runners name a test that failed. */
const FAILED: readonly RegExp[] = [
  /^\s*✖ (.+?) \([\d.]+ ?m?s\)$/,
  /^\s*not ok \d+ (?:- )?(.+?)(?: # .*)?$/,
  /^(?:FAILED|ERROR) ([^\s(]\S*)(?: - .*)?$/,
  /^(?:FAIL|ERROR): (.+)$/,
  /^\s*--- FAIL: (\S+)/,
  /^\s*FAIL\s+(\S.* > .+)$/,
  /^\s*[×✗✕] (.+?)(?: \(?\d+ ?ms\)?)?$/,
  /^\s*● (.+ › .+)$/,
];

/** What says that something is not there which the tests need: found, they were not run, whatever the exit code. */
const MISSING: readonly (readonly [RegExp, (name: string) => string])[] = [
  [
    /Cannot find (?:package|module) '([^'./][^']*)'/,
    (name) => `it needs the package ${name}, and the repository holds no installed packages`,
  ],
  [
    /No module named '?([\w.]+)'?/,
    (name) => `it needs the Python module ${name}, which is not installed on this machine`,
  ],
  [
    /(?:module lookup disabled by GOPROXY=off|cannot find module providing package (\S+))/,
    () => 'it needs modules of Go that the repository does not hold',
  ],
  [
    /(?:sh: \d+: |env: ['‘]?|timeout: failed to run command ['‘])([\w./-]+)['’]?: (?:not found|No such file)/,
    missingProgram,
  ],
];

function missingProgram(name: string): string {
  return `there is no ${name} in the sandbox: neither the machine nor the repository brings it`;
}

/** `isFirst`: the tree that the change is made to; only there something missing is no fault of the change. */
export function suiteResult(outcome: SandboxOutcome, isFirst: boolean): SuiteResult {
  if (outcome.kind === 'unavailable')
    return {
      state: 'unrunnable',
      failed: [],
      why: `there is no sandbox here: ${outcome.why} (${outcome.cure})`,
      output: '',
    };
  if (outcome.kind === 'exited' && outcome.exitCode === 0)
    return { state: 'green', failed: [], why: 'passed', output: '' };
  const missing = isFirst ? missingIn(outcome.output) : undefined;
  const output = redactText(tailOf(outcome.output));
  if (missing !== undefined) return { state: 'unrunnable', failed: [], why: missing, output };
  return { state: 'red', failed: failedIn(outcome.output), why: endInWords(outcome), output };
}

function missingIn(output: string): string | undefined {
  for (const [pattern, say] of MISSING) {
    const match = pattern.exec(output);
    if (match) return redactText(say((match[1] ?? '').slice(0, 100)));
  }
  return undefined;
}

function failedIn(output: string): string[] {
  const names = output.split('\n').flatMap((line) => {
    const match = FAILED.map((pattern) => pattern.exec(line)).find((one) => one !== null);
    return match?.[1] === undefined ? [] : [redactText(match[1].trim()).slice(0, 120)];
  });
  return [...new Set(names)].slice(0, MAX_FAILED);
}

function tailOf(output: string): string {
  return output.trimEnd().split('\n').slice(-OUTPUT_LINES).join('\n').slice(-OUTPUT_CHARACTERS);
}

function endInWords(outcome: Exclude<SandboxOutcome, { kind: 'unavailable' }>): string {
  switch (outcome.kind) {
    case 'exited':
      return `exit code ${outcome.exitCode}`;
    case 'timed_out':
      return outcome.limit === 'wall' ? 'its time ran out' : 'its processor time ran out';
    case 'out_of_memory':
      return 'it took too much memory';
    case 'output_limit':
      return 'it wrote too much';
    case 'too_many_files':
      return 'it made too many files';
  }
}
