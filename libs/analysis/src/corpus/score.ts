import type { Verdict } from './judge.js';

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
  /** Bad ones of whose class nothing was found. */
  readonly missed: readonly Verdict[];
  /** Good ones of whose class something was found. */
  readonly alarms: readonly Verdict[];
}

/** Counts by class and by language. */
export function scoresOf(verdicts: readonly Verdict[]): Scores {
  return {
    total: scoreOf('all', verdicts),
    classes: grouped(verdicts, (verdict) => verdict.class),
    languages: grouped(verdicts, (verdict) => verdict.language),
    missed: verdicts.filter(({ label, hit }) => label === 'bad' && !hit),
    alarms: verdicts.filter(({ label, hit }) => label === 'good' && hit),
  };
}

function grouped(verdicts: readonly Verdict[], by: (verdict: Verdict) => string): Score[] {
  const groups = Map.groupBy(verdicts, by);
  return [...groups].map(([name, members]) => scoreOf(name, members)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function scoreOf(name: string, verdicts: readonly Verdict[]): Score {
  const bad = verdicts.filter(({ label }) => label === 'bad');
  const good = verdicts.filter(({ label }) => label === 'good');
  const found = bad.filter(({ hit }) => hit).length;
  const alarmed = good.filter(({ hit }) => hit).length;
  const recall = bad.length === 0 ? 0 : found / bad.length;
  const falseAlarms = good.length === 0 ? 0 : alarmed / good.length;
  return { name, bad: bad.length, found, good: good.length, alarmed, recall, falseAlarms, j: recall - falseAlarms };
}
