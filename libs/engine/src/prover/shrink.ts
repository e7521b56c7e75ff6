import type { Disturbance } from '../simulator/disturbance.js';
import { drive, replaying, type SimulationReport } from '../simulator/drive.js';
import type { Scenario } from '../simulator/scenarios.js';

/** A violation without the names that differ from run to run. */
function kindOf(violation: string): string {
  return violation.replaceAll(/[0-9a-f-]{36}|#?\d+(\.\d+)*/g, '_');
}

/** Replays of this many runs at most: a failure is told soon rather than at its very shortest. */
const MOST_REPLAYS = 400;

/**
 * The shortest list of disturbances found that breaks the same promise: halves of it are left out, then smaller parts, then single ones,
 * for as long as that breaks it still. Gives the report of its replay.
 */
export async function shrink(
  scenario: Scenario,
  found: SimulationReport,
  judge: (scenario: Scenario, report: SimulationReport) => readonly string[],
): Promise<SimulationReport> {
  const wanted = new Set(found.violations.map(kindOf));
  let replays = 0;
  let best = found;
  const breaks = async (of: Scenario, disturbances: readonly Disturbance[]): Promise<SimulationReport | undefined> => {
    if (replays++ >= MOST_REPLAYS) return undefined;
    const report = await drive({ ...of, maxDecisions: found.decisions * 2 + 500 }, replaying(disturbances));
    const violations = report.violations.length > 0 ? report.violations : judge(of, report);
    return violations.some((violation) => wanted.has(kindOf(violation))) ? { ...report, violations } : undefined;
  };
  for (let size = Math.ceil(best.disturbances.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < best.disturbances.length;) {
      const rest = best.disturbances.filter((_, index) => index < start || index >= start + size);
      const shorter = await breaks(scenario, rest);
      if (shorter) best = shorter;
      else start += size;
    }
  }
  return best;
}
