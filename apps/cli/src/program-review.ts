import { Argument } from 'commander';
import type { FindingOptions } from './commands/finding.js';
import type { ReviewCommandOptions } from './commands/review.js';
import { jsonOption, runArgument, type CommandParts } from './program-options.js';

/** The review of a local folder, which needs no mesh, and what people say of findings. */
export function addReview({ context, command, chosen, examples: ex }: CommandParts): void {
  command('review', 'review a local folder, or what it changes; no mesh is needed')
    .argument('[path]', 'a folder (default: this one)')
    .option('--base <ref>', 'only what branch and working tree change since they left this branch, tag or commit')
    .option('--sarif <file>', 'write the findings as SARIF too')
    .option('--write-baseline', 'keep what is found now in .devmesh/baseline.json, and tell it no more')
    .addOption(jsonOption('verdict and findings'))
    .addHelpText(
      'after',
      ex(
        ['review', 'this folder as it is; exits 1 when it is rejected'],
        ['review --base main', 'only what this branch and the working tree bring in'],
        ['review --write-baseline', 'begin with what is new'],
        ['review ~/shop --sarif shop.sarif', 'for editors and code scanning'],
      ),
    )
    .action((path: string | undefined, options: ReviewCommandOptions) =>
      chosen(async () => (await import('./commands/review.js')).review(context, path, options), options.json === true),
    );

  command('finding', 'list the findings of a run and what became of them; say that one is false, or right')
    .usage('[options] list|reject|confirm run [finding]')
    .addArgument(new Argument('<verb>', 'what to do').choices(['list', 'reject', 'confirm']))
    .argument('<run>', runArgument)
    .argument('[finding]', 'a finding: at least 6 characters of the beginning of its fingerprint (reject, confirm)')
    .option('--reason <text>', 'why; kept with the finding')
    .addOption(jsonOption('the findings, or the finding'))
    .addHelpText(
      'after',
      ex(
        ['finding list last', 'those that the newest run saw in its repository'],
        [
          'finding reject last 3fa2b1c4 --reason "a test host"',
          'it is not told again; a rule that people reject falls silent',
        ],
      ),
    )
    .action((verb: string, run: string, fingerprint: string | undefined, options: FindingOptions) =>
      chosen(
        async () => (await import('./commands/finding.js')).finding(context, verb, run, fingerprint, options),
        options.json === true,
      ),
    );
}
