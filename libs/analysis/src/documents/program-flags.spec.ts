import { afterEach, describe, expect, it } from 'vitest';
import { tempTree, type TempTree } from '../testing/temp-tree.js';
import { SourceTree } from '../tree/source-tree.js';
import { programFlags, type ProgramFlags } from './program-flags.js';

const folders: TempTree[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

async function flagsOf(path: string, text: string): Promise<ProgramFlags> {
  const folder = tempTree({ [path]: text });
  folders.push(folder);
  return programFlags(await SourceTree.open(folder.path));
}

const flag = (name: string, short?: string, value?: string, description?: string): object => ({
  name,
  short,
  value,
  description,
});

describe('flags of a program', () => {
  it.each([
    [
      'commander',
      'cli.js',
      "import { program, Option } from 'commander';\nprogram.option('-p, --port <number>', 'where').requiredOption('--token <text>').addOption(new Option('--no-color', 'plain'));",
      [
        flag('--port', '-p', 'number', 'where'),
        flag('--token', undefined, 'text'),
        flag('--no-color', undefined, undefined, 'plain'),
      ],
    ],
    [
      'yargs',
      'cli.ts',
      "import yargs from 'yargs';\nyargs(a).option('port', { alias: 'p', type: 'number', describe: 'where' }).options({ open: { type: 'boolean' } });",
      [flag('--port', '-p', 'number', 'where'), flag('--open')],
    ],
    [
      'node:util',
      'cli.mjs',
      "import { parseArgs } from 'node:util';\nconst options = { port: { type: 'string', short: 'p' } };\nparseArgs({ args, options: options });",
      [flag('--port', '-p', 'string')],
    ],
    [
      'minimist',
      'cli.cjs',
      "const argv = require('minimist')(process.argv.slice(2));\nminimist(rest, { string: ['out'], boolean: ['force', 'f'] });",
      [flag('--out', undefined, 'value'), flag('--force')],
    ],
    [
      'argparse',
      'cli.py',
      'import argparse\np = argparse.ArgumentParser()\np.add_argument("-p", "--port", type=int, help="where")\np.add_argument("--force", action="store_true")\np.add_argument("file")',
      [flag('--port', '-p', 'PORT', 'where'), flag('--force')],
    ],
    [
      'click',
      'cli.py',
      'import click\n@click.command()\n@click.option("--dry-run/--no-dry-run", help="only say")\n@click.option("-n", "--name", metavar="TEXT")\ndef run(): pass',
      [
        flag('--dry-run', undefined, undefined, 'only say'),
        flag('--no-dry-run', undefined, undefined, 'only say'),
        flag('--name', '-n', 'TEXT'),
      ],
    ],
    [
      'typer',
      'cli.py',
      'import typer\ndef run(name: str = typer.Option("x", "--name", help="who")): pass',
      [flag('--name', undefined, 'NAME', 'who')],
    ],
    [
      'cobra',
      'cmd/root.go',
      'package cmd\nimport "github.com/spf13/cobra"\nfunc init() {\n\troot.Flags().StringVarP(&name, "name", "n", "", "who it is")\n\troot.Flags().Bool("force", false, "do it")\n}',
      [flag('--name', '-n', 'string', 'who it is'), flag('--force', undefined, undefined, 'do it')],
    ],
    [
      'flag',
      'main.go',
      'package main\nimport "flag"\nvar port = flag.Int("port", 8080, "where")',
      [flag('-port', undefined, 'int', 'where')],
    ],
  ])('are read from %s', async (_library, path, text, wanted) => {
    const { flags } = await flagsOf(path, text);
    expect(flags.map(({ name, short, value, description }) => ({ name, short, value, description }))).toEqual(wanted);
  });

  it('may be others where words are read by hand', async () => {
    expect((await flagsOf('cli.js', 'const [, , first] = process.argv;')).open).toEqual(['cli.js']);
    expect((await flagsOf('cli.py', 'import sys\nprint(sys.argv[1])')).open).toEqual(['cli.py']);
  });
});
