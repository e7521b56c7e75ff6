import type { Finding } from '@devmesh/contracts/finding';
import type { CorpusFile, Snippet } from './read-corpus.js';

/** How right a set of verdicts is. Recall and false alarms are shares from 0 to 1; J is their difference. */
export interface Score {
  readonly name: string;
  readonly bad: number;
  readonly found: number;
  readonly good: number;
  readonly alarmed: number;
  readonly recall: number;
  readonly falseAlarms: number;
  readonly j: number;
}

export interface Scores {
  readonly total: Score;
  readonly classes: readonly Score[];
  readonly languages: readonly Score[];
  /** Bad snippets in which nothing of the class was found. */
  readonly missed: readonly Snippet[];
  /** Good snippets in which something of the class was found. */
  readonly alarms: readonly Snippet[];
}

interface Judged {
  readonly snippet: Snippet;
  readonly hit: boolean;
}

/** Reviews each snippet for itself, and counts by class and by language. */
export async function scoreSnippets(
  snippets: readonly Snippet[],
  review: (files: readonly CorpusFile[]) => Promise<readonly Finding[]>,
): Promise<Scores> {
  const judged: Judged[] = [];
  for (const snippet of snippets) {
    const findings = await review(snippet.files);
    judged.push({ snippet, hit: findings.some((finding) => finding.class === snippet.class) });
  }
  return {
    total: scoreOf('all', judged),
    classes: grouped(judged, (snippet) => snippet.class),
    languages: grouped(judged, (snippet) => snippet.language),
    missed: judged.filter(({ snippet, hit }) => snippet.label === 'bad' && !hit).map(({ snippet }) => snippet),
    alarms: judged.filter(({ snippet, hit }) => snippet.label === 'good' && hit).map(({ snippet }) => snippet),
  };
}

function grouped(judged: readonly Judged[], by: (snippet: Snippet) => string): Score[] {
  const groups = Map.groupBy(judged, ({ snippet }) => by(snippet));
  return [...groups].map(([name, members]) => scoreOf(name, members)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function scoreOf(name: string, judged: readonly Judged[]): Score {
  const bad = judged.filter(({ snippet }) => snippet.label === 'bad');
  const good = judged.filter(({ snippet }) => snippet.label === 'good');
  const found = bad.filter(({ hit }) => hit).length;
  const alarmed = good.filter(({ hit }) => hit).length;
  const recall = bad.length === 0 ? 0 : found / bad.length;
  const falseAlarms = good.length === 0 ? 0 : alarmed / good.length;
  return { name, bad: bad.length, found, good: good.length, alarmed, recall, falseAlarms, j: recall - falseAlarms };
}
