/** A figure that got worse by more than it may. */
export interface Regression {
  readonly figure: string;
  readonly before: number;
  readonly after: number;
}

interface Rule {
  readonly figure: RegExp;
  readonly better: 'more' | 'less';
  /** How much worse it may be, as a share: what one machine shows of itself from one hour to the next. */
  readonly tolerance: number;
}

/** What a release is held to. Counts per run are nearly the same each time; times and CPU are not. */
const RULES: readonly Rule[] = [
  { figure: /: runs\/s$/, better: 'more', tolerance: 0.2 },
  { figure: /: CPU per run, gateway \+/, better: 'less', tolerance: 0.2 },
  { figure: /: (hops|transactions of state|statements of state) per run$/, better: 'less', tolerance: 0.1 },
  { figure: /^PSS idle, nine services$/, better: 'less', tolerance: 0.1 },
];

/** Below this, differences of counts per run are noise of batching. */
const SMALLEST = 1.5;

/** The figures of a table that `bench/main.ts` printed, by name; those of several numbers are left out. */
export function figuresOf(table: string): Map<string, number> {
  return new Map(
    [...table.matchAll(/^\| ([^|]+?) +\| +([\d.]+)(?: (?:ms|s|MB))? +\|/gm)].map(([, name = '', value]) => [
      name,
      Number(value),
    ]),
  );
}

/** Compares the best of each side: a machine that was disturbed makes a figure worse, never better. */
export function regressions(before: readonly string[], after: readonly string[]): Regression[] {
  const [old, now] = [before.map(figuresOf), after.map(figuresOf)];
  const names = [...new Set(now.flatMap((figures) => [...figures.keys()]))];
  return names.flatMap((figure) => {
    const rule = RULES.find((one) => one.figure.test(figure));
    if (rule === undefined) return [];
    const best = (figures: readonly Map<string, number>[]): number => {
      const values = figures.flatMap((one) => one.get(figure) ?? []);
      return rule.better === 'more' ? Math.max(...values) : Math.min(...values);
    };
    const [was, is] = [best(old), best(now)];
    // A figure that the last release did not have is compared from the next one on.
    if (!Number.isFinite(was)) return [];
    if (rule.better === 'more') return is < was * (1 - rule.tolerance) ? [{ figure, before: was, after: is }] : [];
    return is > was * (1 + rule.tolerance) && is > SMALLEST ? [{ figure, before: was, after: is }] : [];
  });
}
