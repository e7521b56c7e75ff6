import { describe, expect, it } from 'vitest';
import { drive, replaying } from '../simulator/drive.js';
import { EVERYTHING, scenarioOf } from '../simulator/scenarios.js';
import { simulate } from '../simulator/simulate.js';
import { shrink } from './shrink.js';

describe('a failure that chance found', () => {
  const flaw = { habits: { joins: false } };
  const rerun = /and again at/;

  it('is told by the fewest disturbances that it takes, and these replay it', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const scenario = scenarioOf(seed, EVERYTHING, { flaw });
      const found = await simulate(scenario);
      if (!found.violations.some((violation) => rerun.test(violation)) || found.disturbances.length < 20) continue;
      const shortest = await shrink(
        scenario,
        { ...found, violations: found.violations.filter((one) => rerun.test(one)) },
        () => [],
      );
      expect(shortest.disturbances.length).toBeLessThanOrEqual(3);
      const again = await drive(scenario, replaying(shortest.disturbances));
      expect(again.violations.filter((one) => rerun.test(one))).not.toEqual([]);
      // None of them can be left out.
      for (const left of shortest.disturbances) {
        const fewer = await drive(scenario, replaying(shortest.disturbances.filter((one) => one !== left)));
        expect(fewer.violations.filter((one) => rerun.test(one))).toEqual([]);
      }
      return;
    }
    expect.fail('no seed broke it');
  }, 60_000);
});
