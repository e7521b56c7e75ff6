import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EXIT, type CliContext, type ExitCode } from './context.js';
import { exitCodeOf, showError } from './errors.js';
import { productVersion } from './clone.js';
import type { ApprovalsOptions, DecideOptions } from './commands/approvals.js';
import type { CancelOptions } from './commands/cancel.js';
import type { DiffOptions } from './commands/diff.js';
import type { DoctorOptions } from './commands/doctor.js';
import type { DownOptions } from './commands/down.js';
import type { EventsOptions } from './commands/events.js';
import type { LogsOptions } from './commands/logs.js';
import type { ProveOptions } from './commands/prove.js';
import type { RunOptions } from './commands/run.js';
import type { RunsOptions } from './commands/runs.js';
import type { ShowOptions } from './commands/show.js';
import type { StatusOptions } from './commands/status.js';
import type { TriggerOptions } from './commands/triggers.js';
import type { UpOptions } from './commands/up.js';
import { addBackup } from './program-backup.js';
import { addLifeCycle } from './program-life-cycle.js';
import { addReview } from './program-review.js';
import { addRules } from './program-rules.js';
import { jsonOption, runArgument, whole, type Action, type Chosen } from './program-options.js';

function priority(text: string): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < -100 || value > 100)
    throw new InvalidArgumentError('It is a whole number from -100 to 100.');
  return value;
}

const portOption = (): Option =>
  new Option('--port-base <port>', 'first of the nine ports in a row').argParser(whole(1024, 65_526));

const EXIT_CODES = `
Exit codes:
  0    passed
  1    failed, rejected, or done in part
  2    wrong use
  3    needs a person
  130  cancelled, or left with Ctrl-C`;

function examples(self: string, ...lines: readonly (readonly [string, string])[]): string {
  const longest = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, why]) => `  ${self} ${command.padEnd(longest)}   ${why}`).join('\n')}`;
}

/** The whole command. Commands are loaded when they are called: a `--help` or a `status` costs no more than it needs. */
export function buildProgram(context: CliContext, chosen: Chosen): Command {
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
    .option(
      '--run-tests',
      "run the repository's own tests in a sandbox, before and after each change; what turns them red is dropped",
    )
    .addOption(new Option('--priority <number>', 'the highest goes first among waiting runs').argParser(priority))
    .addOption(portOption())
    .option('-d, --detach', 'submit and return at once')
    .option('--dry-run', 'show what it would do if all went well, and do nothing')
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
        ['run --repo . --run-tests', 'the change is held to the tests of the repository'],
        ['run --dry-run --workflow my.yaml', 'waves of steps, effects, approvals; nothing is started'],
        ['run --json | jq .run.verdict', 'for scripts'],
      )}\n${EXIT_CODES}\n\nYour working tree, index, branches, config and hooks are never touched: the result is a new branch.\nThe mesh is started when it isn't up, and stays up: ${self} down stops it.`,
    )
    .action((task: string | undefined, options: RunOptions) =>
      chosen(async () => (await import('./commands/run.js')).run(context, task, options), options.json === true),
    );

  command('up', 'start the mesh')
    .addOption(portOption())
    .option('--consul [address]', 'find each other through the Consul agent there (127.0.0.1:8500)')
    .option('--instances <service=count>', 'further processes of a service, as in code-review=2,orchestrator=2')
    .option('--inspect [port]', 'let debuggers attach to each process, from that port on (9230), on this machine alone')
    .addOption(jsonOption('the state of the mesh'))
    .option('-q, --quiet', 'print nothing')
    .addHelpText(
      'after',
      ex(
        ['up', 'on ports 8000 to 8008'],
        ['up --port-base 9000', 'when those are taken'],
        ['up --consul --instances code-review=2', 'with a Consul, and two of one service'],
        ['up --inspect', 'and then the compound mesh in VS Code'],
      ),
    )
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

  command('show', 'show a run: steps, result, artifacts')
    .argument('<run>', runArgument)
    .option('-f, --follow', 'watch it to its end and bring its result home, as run does')
    .option('--fetch', 'bring its branch, report and artifacts home')
    .addOption(new Option('--at <event>', 'as it was after that event').argParser(whole(1, 10_000_000)))
    .addOption(jsonOption('the run'))
    .addHelpText(
      'after',
      ex(
        ['show last', 'the newest run'],
        ['show 9f3c21aa --follow', 'after run --detach or Ctrl-C'],
        ['show last --at 12', 'as it was after its twelfth event'],
      ),
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

  const approvalArgument = 'an approval: its id, or at least 4 characters of its end';

  command('approvals', 'list what waits for a decision')
    .option('--run <run>', 'only of this run')
    .option('--all', 'what was decided too')
    .addOption(jsonOption('the approvals'))
    .addHelpText(
      'after',
      ex(['approvals', 'what is asked, and until when'], ['approvals --run last --all', 'of the newest run']),
    )
    .action((options: ApprovalsOptions) =>
      chosen(async () => (await import('./commands/approvals.js')).approvals(context, options), options.json === true),
    );

  for (const [name, verdict] of [
    ['approve', 'approved'],
    ['reject', 'rejected'],
  ] as const) {
    command(name, `${name} what a run asks; it is shown first`)
      .argument('<approval>', approvalArgument)
      .option('-m, --comment <text>', 'kept with the decision')
      .option('-y, --yes', 'do not ask again')
      .addOption(jsonOption('the approval'))
      .addHelpText('after', ex([`${name} 9f3c21aa -m "looks right"`, 'only what was shown is decided on']))
      .action((approval: string, options: DecideOptions) =>
        chosen(
          async () => (await import('./commands/approvals.js')).decide(context, verdict, approval, options),
          options.json === true,
        ),
      );
  }

  command('pause', 'pause a run: what is under way ends, nothing new begins')
    .argument('<run>', runArgument)
    .option('--reason <text>', 'kept with the run', 'paused on the command line')
    .addOption(jsonOption('the run'))
    .addHelpText('after', ex(['pause last', 'resume lets it go on']))
    .action((run: string, options: CancelOptions) =>
      chosen(async () => (await import('./commands/cancel.js')).pause(context, run, options), options.json === true),
    );

  command('resume', 'let a paused run go on; wake one that is stuck')
    .argument('<run>', runArgument)
    .addOption(jsonOption('the run'))
    .addHelpText('after', ex(['resume last', 'after its trouble was mended']))
    .action((run: string, options: { json?: boolean }) =>
      chosen(async () => (await import('./commands/cancel.js')).resume(context, run, options), options.json === true),
    );

  addLifeCycle({ context, command, chosen, examples: ex });

  command('triggers', 'list what starts runs by itself; add or remove a schedule or webhook')
    .usage('[options] [add|remove] [name] [task]')
    .argument('[verb]', '"add" or "remove" (default: list them)')
    .argument('[name]', 'how it is called')
    .argument('[task]', 'what its runs are to do')
    .option('--cron <expression>', 'a schedule: five fields, such as "0 3 * * 1-5"')
    .option('--timezone <zone>', 'whose clock it goes by (default: UTC)')
    .option('--webhook', 'a webhook: signed deliveries of a forge')
    .option('--event <names...>', 'only deliveries of these events, such as push; one * stands for anything')
    .option('--branch <names...>', 'only deliveries about these branches')
    .option('--repo <url>', 'the repository that its runs work on; the mesh clones it each time')
    .option('--ref <ref>', 'branch, tag or commit; ${{ branch }} is that of the delivery')
    .option('--workflow <name|file>', 'a shipped workflow by its name, or a YAML file')
    .addOption(jsonOption('the triggers'))
    .addHelpText(
      'after',
      ex(
        ['triggers', 'all of them, and what they last did'],
        ['triggers add nightly --cron "0 3 * * *" --repo https://example.org/shop.git', 'every night at three'],
        [
          "triggers add on-push --webhook --branch main --repo https://example.org/shop.git --ref '${{ branch }}'",
          'shows the secret, once',
        ],
        ['triggers remove nightly', 'what it started goes on'],
      ),
    )
    .action((verb: string | undefined, name: string | undefined, task: string | undefined, options: TriggerOptions) =>
      chosen(
        async () => (await import('./commands/triggers.js')).triggers(context, verb, name, task, options),
        options.json === true,
      ),
    );

  command('prove', 'put a workflow through every fault, on this engine and without a mesh')
    .usage('[options] [workflow]')
    .argument('[workflow]', 'a shipped workflow by its name, or a YAML file (default: those of the committed proof)')
    .option('--full', 'exhaustively: every single fault, and every pair of crash points')
    .addOption(new Option('--seed <n>', 'what is left to chance comes from it').argParser(whole(1, 2_000_000_000)))
    .addOption(
      new Option('--minutes <n>', 'stop after so long (default: 1; with --full: none)').argParser(whole(1, 1440)),
    )
    .addOption(jsonOption('the proof'))
    .addHelpText(
      'after',
      `${ex(
        ['prove deliver', 'a minute of it'],
        ['prove my-flow.yaml --minutes 5', 'a workflow of yours; nothing of it is run for real'],
        ['prove deliver --full', 'all of it: some minutes'],
        ['prove --full', 'what the proof is about, and the mutants; writes docs/proof.md'],
      )}\n\nExits 0 when every promise held, 1 when one was broken: its seed and the shortest way there are shown.`,
    )
    .action((workflow: string | undefined, options: ProveOptions) =>
      chosen(
        async () => (await import('./commands/prove.js')).prove(context, workflow, options),
        options.json === true,
      ),
    );

  addBackup({ context, command, chosen, examples: ex });

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

  addReview({ context, command, chosen, examples: ex });
  addRules({ context, command, chosen, examples: ex });

  command('doctor', 'say what is wrong with this machine, and the cure')
    .option('--production', 'hold it to docs/production-checklist.md too')
    .addOption(jsonOption('the findings'))
    .addHelpText(
      'after',
      ex(
        ['doctor', 'exits 1 when something has to be mended'],
        ['doctor --production', 'before a mesh serves others; as the user that runs it'],
      ),
    )
    .action((options: DoctorOptions) =>
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
