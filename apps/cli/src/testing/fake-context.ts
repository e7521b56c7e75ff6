import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliContext, Output } from '../context.js';
import { homeAt } from '../supervisor/home.js';

export interface RecordedOutput extends Output {
  readonly text: () => string;
}

export function recordedOutput(
  options: Partial<Pick<Output, 'terminal' | 'color' | 'columns' | 'rows'>> = {},
): RecordedOutput {
  let written = '';
  return {
    write: (text) => {
      written += text;
    },
    text: () => written,
    terminal: false,
    color: false,
    columns: 100,
    rows: 40,
    ...options,
  };
}

export interface FakeContext extends CliContext {
  readonly out: RecordedOutput;
  readonly err: RecordedOutput;
}

/** A context with a data folder of its own, which the caller removes, and nothing of this machine in it. */
export function fakeContext(
  options: Partial<CliContext> & { readonly out?: RecordedOutput; readonly stdin?: string } = {},
): FakeContext {
  const { stdin, ...rest } = options;
  return {
    home: homeAt(mkdtempSync(join(tmpdir(), 'devmesh-cli-'))),
    env: {},
    cwd: tmpdir(),
    self: './devmesh',
    err: recordedOutput(),
    readStdin: async () => stdin ?? '',
    confirm: async () => false,
    atEnd: () => {},
    interrupted: new AbortController().signal,
    ...rest,
    out: options.out ?? recordedOutput(),
  } as FakeContext;
}
