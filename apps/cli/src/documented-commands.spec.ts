import { globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { CLONE } from './clone.js';
import { buildProgram } from './program.js';
import { fakeContext } from './testing/fake-context.js';

const context = fakeContext();
afterAll(() => rmSync(context.home.root, { recursive: true, force: true }));

/** Calls of the command in a text: in code spans, and in lines of code. */
function callsIn(text: string): string[] {
  const code = [...text.matchAll(/`([^`\n]+)`|^(?: {4}|\$ )(.+)$/gm)].map(([, span, line]) => span ?? line ?? '');
  return code
    .flatMap((piece) => piece.split(/ && | · |; /))
    .flatMap((piece) => /^(?:\.\/)?devmesh ([a-z-].*)$/.exec(piece.trim())?.[1] ?? [])
    .map((call) => call.replace(/ +(#|\().*$/, '').trim());
}

const words = (call: string): string[] =>
  (call.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^["']|["']$/g, ''));

/** What is wrong with a call; null when the program takes it. Nothing is done. */
function complaint(call: string): string | null {
  let taken = false;
  const program = buildProgram(context, () => {
    taken = true;
  });
  for (const one of [program, ...program.commands]) {
    one.exitOverride();
    one.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  }
  try {
    program.parse(words(call), { from: 'user' });
    return taken ? null : 'does nothing';
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? null : error.message;
  }
}

describe('what the documentation says to call', () => {
  const files = globSync(['README.md', 'docs/**/*.md', '{apps,libs,e2e,monitoring,deploy,bench}/**/README.md'], {
    cwd: CLONE,
    exclude: (path) => path === 'node_modules',
  });
  const calls = files.flatMap((file) =>
    callsIn(readFileSync(join(CLONE, file), 'utf8'))
      // The tests are run by the script itself, not by the program.
      .filter((call) => words(call)[0] !== 'test')
      .map((call) => [file, call] as const),
  );

  it('is found', () => {
    expect(calls.length).toBeGreaterThan(40);
    expect(
      callsIn('Do `./devmesh up && ./devmesh status` (`devmesh logs X -f`),\n    ./devmesh runs   # all\n'),
    ).toEqual(['up', 'status', 'logs X -f', 'runs']);
  });

  it.each(calls)('%s: devmesh %s', (_, call) => {
    expect(complaint(call)).toBeNull();
  });

  it('is refused where there is no such command, option or number of arguments', () => {
    expect(complaint('sstatus')).toMatch(/unknown command/);
    expect(complaint('doctor --productoin')).toMatch(/unknown option/);
    expect(complaint('show')).toMatch(/missing required argument/);
  });
});
