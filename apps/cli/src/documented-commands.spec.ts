import { globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { callsIn, consoleBlocks, strayCommands } from '@devmesh/testing/documentation';
import { CommanderError } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { CLONE } from './clone.js';
import { buildProgram } from './program.js';
import { fakeContext } from './testing/fake-context.js';

const context = fakeContext();
afterAll(() => rmSync(context.home.root, { recursive: true, force: true }));

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

  it('is in blocks of commands, which the end-to-end tests execute', () => {
    const documents = files.filter((file) => file === 'README.md' || file.startsWith('docs/'));
    expect(
      documents.flatMap((file) => strayCommands(readFileSync(join(CLONE, file), 'utf8')).map((line) => [file, line])),
    ).toEqual([]);
    expect(strayCommands('Do:\n\n    ./devmesh up\n    docs/x.md   a file\n\n```console\n    $ cd x\n```\n')).toEqual([
      './devmesh up',
    ]);
  });

  it('is executed or marked as what can not be', () => {
    const text = `
<!-- not executed by the tests, takes long (./devmesh t): all of it -->

\`\`\`console
$ ./devmesh up # now
it is up
$ ./devmesh test \\
>   e2e
\`\`\`

  <!-- not executed by the tests, needs the cloud: a droplet -->

  \`\`\`console
  $ ssh there
  \`\`\`
`;
    expect(consoleBlocks(text)).toEqual([
      [
        { line: 5, text: './devmesh up # now', marked: null },
        { line: 7, text: './devmesh test \\\n  e2e', marked: { reason: 'takes long', why: 'all of it' } },
      ],
      [{ line: 14, text: 'ssh there', marked: { reason: 'needs the cloud', why: 'a droplet' } }],
    ]);
  });

  it('is refused where there is no such command, option or number of arguments', () => {
    expect(complaint('sstatus')).toMatch(/unknown command/);
    expect(complaint('doctor --productoin')).toMatch(/unknown option/);
    expect(complaint('show')).toMatch(/missing required argument/);
  });
});
