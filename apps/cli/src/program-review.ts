import type { ReviewCommandOptions } from './commands/review.js';
import { jsonOption, type CommandParts } from './program-options.js';

/** The review of a local folder. It needs no mesh. */
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
}
