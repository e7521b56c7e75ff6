import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EXIT, type CliContext, type ExitCode } from './context.js';
import { exitCodeOf, showError } from './errors.js';
import { productVersion } from './clone.js';
import type { CancelOptions } from './commands/cancel.js';
import type { DiffOptions } from './commands/diff.js';
import type { DownOptions } from './commands/down.js';
import type { EventsOptions } from './commands/events.js';
import type { LogsOptions } from './commands/logs.js';
import type { RunOptions } from './commands/run.js';
import type { RunsOptions } from './commands/runs.js';
import type { ShowOptions } from './commands/show.js';
import type { StatusOptions } from './commands/status.js';
import type { UpOptions } from './commands/up.js';

type Action = () => Promise<ExitCode>;

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`);
    return value;
  };
}

const jsonOption = (what: string): Option => new Option('--json', `print ${what} as JSON, and nothing else`);
const portOption = (): Option =>
  new Option('--port-base <port>', 'first of the nine ports in a row').argParser(whole(1024, 65_526));

const EXIT_CODES = `
Exit codes:
  0    passed
  1    failed or rejected
  2    wrong use
  3    needs a person
  130  cancelled, or left with Ctrl-C`;

function examples(self: string, ...lines: readonly (readonly [string, string])[]): string {
  const longest = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, why]) => `  ${self} ${command.padEnd(longest)}   ${why}`).join('\n')}`;
}

/** The whole command. Commands are loaded when they are called: a `--help` or a `status` costs no more than it needs. */
export function buildProgram(context: CliContext, chosen: (action: Action, json: boolean) => void): Command {
  const { self } = context;
  const ex = (...lines: readonly (readonly [string, string])[]): string => examples(self, ...lines);
  const program = new Command('devmesh');
  const command = (name: string, summary: string): Command =>
    program
      .command(name)
      .summary(summary)
      .description(`${summary[0]?.toUpperCase() ?? ''}${summary.slice(1)}.`);

  program
    .configureHelp({
      subcommandTerm: (one) =>
        [
          one.name(),
          ...one.registeredArguments.map((argument) =>
            argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
          ),
        ].join(' '),
    })
    .usage('COMMAND [options]')
    .description('A self-hosted mesh of software-delivery agents: from a task and a repository to a reviewed branch.')
    .version(productVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help, or that of a command')
    .helpCommand('help [command]', 'show the help of a command')
    .showHelpAfterError(`(${self} --help lists the commands)`)
    .addHelpText(
      'after',
      `${ex(['run', 'the main job on the sample repository'], ['run --repo . "Fix what the review finds"', 'on a repository of yours'], ['status', 'how the services are'], ['down', 'stop the mesh'])}\n\nEverything is kept in one folder: .devmesh in the clone, or DEVMESH_HOME.`,
    );

  command('run', 'run a task on a repository, and watch it')
    .usage('[options] [task]')
    .argument('[task]', 'what to do; "-" reads it from stdin; without one the workflow does its usual job')
    .option(
      '--repo <path|url>',
      'the repository: a folder of this machine, or a URL that the mesh clones (default: the sample repository)',
    )
    .option('--ref <ref>', 'branch, tag or commit to work on (default: HEAD)')
    .option(
      '--workflow <name|file>',
      'a shipped workflow by its name, or a YAML file (default: planned from the task, without one deliver)',
    )
    .addOption(portOption())
    .option('-d, --detach', 'submit and return at once')
    .addOption(jsonOption('the run and what was delivered'))
    .option('-q, --quiet', 'print only the result')
    .addHelpText(
      'after',
      `${ex(
        ['run', 'the sample repository'],
        ['run --repo ~/shop', 'review and mend ~/shop; the result is a branch devmesh/...'],
        ['run --repo . --workflow review', 'a report, and no change'],
        ['run --repo . --ref v1.2 "Build a login AND write a Dockerfile"', 'planned from the text'],
        ['run --repo https://example.org/shop.git --detach', 'cloned by the mesh; do not wait'],
        ['run --json | jq .run.verdict', 'for scripts'],
      )}\n${EXIT_CODES}\n\nYour working tree, index, branches, config and hooks are never touched: the result is a new branch.\nThe mesh is started when it isn't up, and stays up: ${self} down stops it.`,
    )
    .action((task: string | undefined, options: RunOptions) =>
      chosen(async () => (await import('./commands/run.js')).run(context, task, options), options.json === true),
    );

  command('up', 'start the mesh')
    .addOption(portOption())
    .addOption(jsonOption('the state of the mesh'))
    .option('-q, --quiet', 'print nothing')
    .addHelpText('after', ex(['up', 'on ports 8000 to 8008'], ['up --port-base 9000', 'when those are taken']))
    .action((options: UpOptions) =>
      chosen(async () => (await import('./commands/up.js')).up(context, options), options.json === true),
    );

  command('down', 'stop the mesh; no process is left')
    .addOption(jsonOption('what was ended'))
    .option('-q, --quiet', 'print nothing')
    .addHelpText('after', `${ex(['down', 'runs that are under way go on at the next start'])}`)
    .action((options: DownOptions) =>
      chosen(async () => (await import('./commands/down.js')).down(context, options), options.json === true),
    );

  command('status', 'show each service: address, health, version, uptime, memory')
    .addOption(jsonOption('the state of the mesh'))
    .addHelpText(
      'after',
      `${ex(['status', 'exits 0 when everything is well, 1 when not'], ['status --json | jq .healthy', 'for scripts'])}`,
    )
    .action((options: StatusOptions) =>
      chosen(async () => (await import('./commands/status.js')).status(context, options), options.json === true),
    );

  command('runs', 'list the runs, newest first')
    .addOption(new Option('-n, --limit <count>', 'how many').argParser(whole(1, 10_000)).default(20))
    .addOption(jsonOption('the runs'))
    .addHelpText('after', ex(['runs -n 5', 'the last five']))
    .action((options: RunsOptions) =>
      chosen(async () => (await import('./commands/runs.js')).runs(context, options), options.json === true),
    );

  const runArgument = 'a run: its id, at least 4 characters of its end, or "last"';

  command('show', 'show a run: steps, result, artifacts')
    .argument('<run>', runArgument)
    .option('-f, --follow', 'watch it to its end and bring its result home, as run does')
    .option('--fetch', 'bring its branch, report and artifacts home')
    .addOption(jsonOption('the run'))
    .addHelpText(
      'after',
      ex(['show last', 'the newest run'], ['show 9f3c21aa --follow', 'after run --detach or Ctrl-C']),
    )
    .action((run: string, options: ShowOptions) =>
      chosen(async () => (await import('./commands/show.js')).show(context, run, options), options.json === true),
    );

  command('logs', 'show logs: of a service, or of all about a run')
    .usage('[options] [service|run]')
    .argument('[what]', 'a service, "postgres", "supervisor", or a run (default: all services)')
    .option('-f, --follow', 'go on with what comes')
    .addOption(
      new Option('-n, --lines <count>', 'how many lines of the past').argParser(whole(0, 1_000_000)).default(100),
    )
    .addOption(new Option('--json', 'one JSON object a line, as the services wrote it'))
    .addHelpText('after', ex(['logs gateway -f', 'live'], ['logs last', 'what every service says of the newest run']))
    .action((what: string | undefined, options: LogsOptions) =>
      chosen(async () => (await import('./commands/logs.js')).logs(context, what, options), false),
    );

  command('events', 'list the events of a run: what happened, in order')
    .argument('<run>', runArgument)
    .option('-f, --follow', 'go on until the run ends')
    .addOption(new Option('--json', 'print them as JSON; with --follow one object a line'))
    .addHelpText(
      'after',
      ex(['events last', 'the newest run'], ['events last --json | jq .events[].event.type', 'for scripts']),
    )
    .action((run: string, options: EventsOptions) =>
      chosen(async () => (await import('./commands/events.js')).events(context, run, options), options.json === true),
    );

  command('diff', 'show what a run changed')
    .argument('<run>', runArgument)
    .option('--stat', 'only which files, and how much')
    .addOption(jsonOption('the change'))
    .addHelpText('after', ex(['diff last', 'the newest run'], ['diff last --stat', 'the files']))
    .action((run: string, options: DiffOptions) =>
      chosen(async () => (await import('./commands/diff.js')).diff(context, run, options), options.json === true),
    );

  command('cancel', 'cancel a run')
    .argument('<run>', runArgument)
    .option('--reason <text>', 'kept with the run', 'cancelled on the command line')
    .addOption(jsonOption('the run'))
    .addHelpText('after', ex(['cancel 9f3c21aa', 'what is done stays done; nothing new begins']))
    .action((run: string, options: CancelOptions) =>
      chosen(async () => (await import('./commands/cancel.js')).cancel(context, run, options), options.json === true),
    );

  command('resume', 'wake a run that is stuck')
    .argument('<run>', runArgument)
    .addOption(jsonOption('the run'))
    .addHelpText('after', ex(['resume last', 'after its trouble was mended']))
    .action((run: string, options: { json?: boolean }) =>
      chosen(async () => (await import('./commands/cancel.js')).resume(context, run, options), options.json === true),
    );

  command('agents', 'list the agents and their actions')
    .addOption(jsonOption('the agents'))
    .addHelpText('after', ex(['agents', 'what can be a step']))
    .action((options: { json?: boolean }) =>
      chosen(async () => (await import('./commands/agents.js')).agents(context, options), options.json === true),
    );

  command('workflows', 'list the workflows and their steps')
    .addOption(jsonOption('the workflows'))
    .addHelpText('after', ex(['workflows', 'what run --workflow takes']))
    .action((options: { json?: boolean }) =>
      chosen(async () => (await import('./commands/agents.js')).workflows(context, options), options.json === true),
    );

  command('doctor', 'say what is wrong with this machine, and the cure')
    .addOption(jsonOption('the findings'))
    .addHelpText('after', ex(['doctor', 'exits 1 when something has to be mended']))
    .action((options: { json?: boolean }) =>
      chosen(async () => (await import('./commands/doctor.js')).doctor(context, options), options.json === true),
    );

  return program;
}

/** Runs a command line (without program and script) and gives its exit code. Never throws. */
export async function runCli(context: CliContext, args: readonly string[]): Promise<ExitCode> {
  let action: Action | null = null;
  let json = false;
  const program = buildProgram(context, (wanted, asJson) => {
    action = wanted;
    json = asJson;
  });
  for (const one of [program, ...program.commands]) {
    one.exitOverride();
    one.configureOutput({
      writeOut: (text) => context.out.write(text),
      writeErr: (text) => context.err.write(text.replace(/^error: /, 'devmesh: ')),
      getOutHelpWidth: () => context.out.columns,
      getErrHelpWidth: () => context.err.columns,
      getOutHasColors: () => context.out.color,
      getErrHasColors: () => context.err.color,
    });
    one.showHelpAfterError(`(${[context.self, ...(one === program ? [] : [one.name()])].join(' ')} --help says more)`);
  }
  if (args.length === 0) {
    program.outputHelp({ error: true });
    return EXIT.usage;
  }
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.passed : EXIT.usage;
    throw error;
  }
  if (action === null) return EXIT.passed;
  try {
    return await (action as Action)();
  } catch (error) {
    if (context.interrupted.aborted) {
      context.err.write(`left with Ctrl-C; what is under way in the mesh goes on (${context.self} status)\n`);
      return EXIT.cancelled;
    }
    showError(context, error, json);
    return exitCodeOf(error);
  }
}
