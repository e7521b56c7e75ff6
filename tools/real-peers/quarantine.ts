/** A test against a real peer that is known to fail now and then, by no fault of the mesh, until somebody has mended it. */
export interface Quarantined {
  /** The test's full name, as vitest gives it: the titles of its groups and its own, with a blank between. */
  readonly name: string;
  /** The last day (UTC) on which its failures are not counted, YYYY-MM-DD. */
  readonly until: string;
  /** What is known of it, and who looks after it. */
  readonly why: string;
}

/** No test is tried again in the hope that it passes. One that can't be relied on is named here for at most `MOST_DAYS` days. */
export const quarantine: readonly Quarantined[] = [];

const MOST_DAYS = 30;
const DAY_MS = 86_400_000;

/** What is wrong with the list itself, one line each: each counts as a failure. `tests`: full names of all there are, when all were run. */
export function quarantineProblems(
  list: readonly Quarantined[],
  now: number,
  tests: ReadonlySet<string> | null,
): string[] {
  return list.flatMap(({ name, until }) => {
    const end = Date.parse(`${until}T23:59:59.999Z`);
    const entry = `quarantine of "${name}"`;
    if (Number.isNaN(end)) return [`${entry}: "${until}" is no day, such as 2026-01-31`];
    if (end < now) return [`${entry} ended on ${until}: mend the test, or delete it`];
    if (end - now > (MOST_DAYS + 1) * DAY_MS)
      return [`${entry} ends more than ${MOST_DAYS} days from now: choose a nearer day`];
    if (tests !== null && !tests.has(name)) return [`${entry}: there is no test of that name; take it off the list`];
    return [];
  });
}
