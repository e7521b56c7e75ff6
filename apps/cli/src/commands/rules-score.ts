import { join } from 'node:path';
import { reviewTexts } from '@devmesh/analysis/findings/review-tree';
import { judgeCases, judgeSnippets } from '@devmesh/analysis/corpus/judge';
import { readCases } from '@devmesh/analysis/corpus/read-cases';
import { readCorpus } from '@devmesh/analysis/corpus/read-corpus';
import { scoresOf, type Score, type Scores } from '@devmesh/analysis/corpus/score';
import { CLONE } from '../clone.js';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { table } from '../output/text.js';
import { theme } from '../output/theme.js';

/** Scores of the labelled snippets, of the whole files, and of both together. */
interface CorpusScores {
  readonly snippets: Scores;
  readonly files: Scores;
  readonly together: Scores;
}

async function scoreCorpus(): Promise<CorpusScores> {
  const corpus = join(CLONE, 'libs/analysis/corpus');
  const snippets = await judgeSnippets(readCorpus(corpus), (files) => reviewTexts(files));
  const files = await judgeCases(readCases(corpus), (texts) => reviewTexts(texts));
  return { snippets: scoresOf(snippets), files: scoresOf(files), together: scoresOf([...snippets, ...files]) };
}

const SETS = ['snippets', 'files', 'together'] as const;

function cells(score: Score | undefined): string[] {
  if (!score) return ['', '', ''];
  const { bad, found, good, alarmed, j } = score;
  const share = (part: number, of: number): string => (of === 0 ? '' : `${part}/${of}`);
  return [share(found, bad), share(alarmed, good), bad === 0 || good === 0 ? '' : (j * 100).toFixed(0)];
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;

/** Recall, false alarms and J on the labelled snippets and whole files of the clone. */
export async function scoreRules(
  context: CliContext,
  options: { readonly json?: boolean; readonly verbose?: boolean },
): Promise<ExitCode> {
  const scores = await scoreCorpus();
  const { out } = context;
  if (options.json === true) {
    out.write(`${JSON.stringify(scores)}\n`);
    return EXIT.passed;
  }
  const rowsOf = (by: 'classes' | 'languages'): string[][] =>
    scores.together[by].map(({ name }) => [
      name,
      ...SETS.flatMap((set) => cells(scores[set][by].find((score) => score.name === name))),
    ]);
  const heads = ['SNIPPETS', 'FILES', 'TOGETHER'].flatMap((set) => [set, 'ALARMS', 'J']);
  out.write(
    `${table(['FOUND IN', ...heads], [...rowsOf('classes'), ...rowsOf('languages')], out.columns).join('\n')}\n\n`,
  );
  const totals = SETS.map((set) => {
    const { recall, bad, found, falseAlarms, good, alarmed, j } = scores[set].total;
    const recalled = `${percent(recall)} (${found}/${bad})`;
    return [set, recalled, `${percent(falseAlarms)} (${alarmed}/${good})`, (j * 100).toFixed(0)];
  });
  out.write(`${table(['', 'RECALL', 'FALSE ALARMS', 'J'], totals, out.columns).join('\n')}\n`);
  if (options.verbose === true) {
    const paint = theme(out.color);
    const { missed, alarms } = scores.together;
    for (const { name, class: kind } of missed) out.write(`${paint.warn('missed')} ${kind}: ${name}\n`);
    for (const { name, class: kind, rule } of alarms)
      out.write(`${paint.bad('alarm')} ${kind}: ${name}${rule === undefined ? '' : ` (${rule})`}\n`);
  }
  return EXIT.passed;
}
