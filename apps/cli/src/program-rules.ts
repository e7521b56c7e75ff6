import { Argument, Option } from 'commander';
import { LANGUAGES } from '@devmesh/analysis/parse/language';
import type { RulesOptions } from './commands/rules.js';
import { jsonOption, type CommandParts } from './program-options.js';

/** The command about the rules that code-review knows. It needs no mesh but for what became of findings. */
export function addRules({ context, command, chosen, examples: ex }: CommandParts): void {
  command('rules', 'list the rules of the review; explain, test or score them; show how often each was right')
    .usage('[options] [list|explain|test|score|precision] [rule]')
    .addArgument(
      new Argument('[verb]', 'what to do with them')
        .choices(['list', 'explain', 'test', 'score', 'precision'])
        .default('list'),
    )
    .argument('[rule]', 'a rule by its id (explain, test)')
    .option('--repo <path>', 'a folder whose own rules (.devmesh/rules/) count too')
    .addOption(new Option('--language <language>', 'list: only those that read it').choices(LANGUAGES))
    .option('-v, --verbose', 'score: name each snippet and line that was judged wrong')
    .addOption(jsonOption('the result'))
    .addHelpText(
      'after',
      ex(
        ['rules', 'all of them'],
        ['rules list --language go', 'those that read Go'],
        ['rules explain py-weak-hash', 'what can happen, what to do, bad and good examples'],
        ['rules test --repo .', "the shipped ones and this project's against their examples"],
        ['rules precision', 'how often each was right in your project, by what became of its findings; needs the mesh'],
        ['rules test', 'every rule against its examples'],
        ['rules score -v', 'recall and false alarms on the labelled snippets and files of libs/analysis/corpus'],
      ),
    )
    .action((verb: string, rule: string | undefined, options: RulesOptions) =>
      chosen(
        async () => (await import('./commands/rules.js')).rules(context, verb, rule, options),
        options.json === true,
      ),
    );
}
