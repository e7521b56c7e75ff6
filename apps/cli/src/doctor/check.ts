export interface Finding {
  readonly state: 'ok' | 'warning' | 'bad';
  /** What was found. */
  readonly found: string;
  /** What helps; null when nothing has to be done. */
  readonly cure: string | null;
}

export interface CheckResult extends Finding {
  readonly name: string;
}

export const ok = (found: string): Finding => ({ state: 'ok', found, cure: null });
export const warning = (found: string, cure: string): Finding => ({ state: 'warning', found, cure });
export const bad = (found: string, cure: string): Finding => ({ state: 'bad', found, cure });

/** Runs them all at once; the results keep their order. One that throws is bad: what can't be checked is not known to be well. */
export function runChecks<Facts>(
  checks: readonly (readonly [string, (facts: Facts) => Finding | Promise<Finding>])[],
  facts: Facts,
): Promise<CheckResult[]> {
  return Promise.all(
    checks.map(async ([name, check]) => {
      try {
        return { name, ...(await check(facts)) };
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        return { name, ...bad(`could not be checked: ${why}`, 'set DEVMESH_DEBUG=1 and try again') };
      }
    }),
  );
}
