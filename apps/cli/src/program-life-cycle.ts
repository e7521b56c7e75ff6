import { Option, type Command } from 'commander';
import type { ExportOptions } from './commands/export.js';
import type { GoOnOptions } from './commands/fork.js';
import type { PruneOptions } from './commands/prune.js';
import { age, jsonOption, runArgument, whole, type CommandParts } from './program-options.js';

/** The commands about the life of a run beyond its one course: going on from it, files of it, its graph. */
export function addLifeCycle({ context, command, chosen, examples: ex }: CommandParts): void {
  const goingOn = (name: 'retry' | 'rerun' | 'fork', summary: string): Command =>
    command(name, summary)
      .argument('<run>', runArgument)
      .option('-d, --detach', 'submit and return at once')
      .addOption(jsonOption('the new run and what was delivered'))
      .option('-q, --quiet', 'print only the result');
  const goOn =
    (kind: 'retry' | 'rerun' | 'fork') =>
    (run: string, options: GoOnOptions): void =>
      chosen(async () => (await import('./commands/fork.js')).goOn(context, kind, run, options), options.json === true);

  goingOn('retry', 'go on from a run that failed: what succeeded is kept')
    .addHelpText('after', ex(['retry last', 'a new run; approvals are asked for anew']))
    .action(goOn('retry'));

  goingOn('rerun', 'do a step of a run again, and all that follows')
    .requiredOption('--from <step>', 'the first step to do again')
    .addHelpText('after', ex(['rerun last --from review', 'what comes before it is kept']))
    .action(goOn('rerun'));

  goingOn('fork', 'do a step of a run again with another input')
    .requiredOption('--from <step>', 'the first step to do again')
    .requiredOption('--input <json|@file>', "members laid over the step's input")
    .addOption(new Option('--at <event>', 'the state of the run after that event').argParser(whole(1, 10_000_000)))
    .addHelpText('after', ex([`fork last --from implement --input '{"task": "smaller"}'`, 'or --input @input.json']))
    .action(goOn('fork'));

  command('export', 'write a run into a file, for another mesh')
    .argument('<run>', runArgument)
    .option('-o, --output <file>', 'the file (default: stdout)')
    .option('--artifacts', 'with the content of its artifacts and its repository')
    .addHelpText('after', ex(['export last -o run.json --artifacts', 'a run under way: as far as it is']))
    .action((run: string, options: ExportOptions) =>
      chosen(async () => (await import('./commands/export.js')).exportRun(context, run, options), false),
    );

  command('import', 'bring an exported run into this mesh, as one that is over')
    .argument('<file>', 'what export wrote')
    .addOption(jsonOption('the run'))
    .addHelpText('after', ex(['import run.json', 'show it, look at its events, fork it']))
    .action((file: string, options: { json?: boolean }) =>
      chosen(
        async () => (await import('./commands/export.js')).importRun(context, file, options),
        options.json === true,
      ),
    );

  command('prune', 'remove the detail of old runs; verdicts, reasons and effects stay')
    .addOption(
      new Option('--older-than <age>', 'of runs that ended so long ago, such as 12h or 7d')
        .argParser(age)
        .makeOptionMandatory(),
    )
    .option('--dry-run', 'only say how much it is')
    .option('-y, --yes', 'do not ask again')
    .addOption(jsonOption('how much it was'))
    .addHelpText(
      'after',
      ex(
        ['prune --older-than 7d --dry-run', 'how many runs, with how many events'],
        ['prune --older-than 7d', 'the mesh does so by itself after 30 days (DEVMESH_RETENTION_DAYS)'],
      ),
    )
    .action((options: PruneOptions) =>
      chosen(async () => (await import('./commands/prune.js')).prune(context, options), options.json === true),
    );

  command('graph', 'draw a run or a workflow, in Mermaid')
    .argument('<run|workflow>', 'a run, or the name of a shipped workflow')
    .addOption(jsonOption('the graph'))
    .addHelpText(
      'after',
      ex(['graph deliver', 'paste it into Markdown'], ['graph last --json', 'with the status of each step']),
    )
    .action((what: string, options: { json?: boolean }) =>
      chosen(async () => (await import('./commands/graph.js')).graph(context, what, options), options.json === true),
    );
}
