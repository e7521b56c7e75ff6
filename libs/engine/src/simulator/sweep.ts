import { EVERYTHING, scenarioOf, type Faults } from './scenarios.js';
import { simulate } from './simulate.js';

/*
 * By hand, after a build:
 *
 *   node libs/engine/dist/simulator/sweep.js 1 20000      looks for seeds that break a promise
 *   node libs/engine/dist/simulator/sweep.js 4711         one seed, with everything that happened in it
 *
 * Each further word changes the scenario: orchestrators=4 runs=5, or the chance of a fault: cancel=0.03 crash=0.
 */
const [first = '1', last, ...rest] = process.argv.slice(2).filter((word) => !word.includes('='));
if (rest.length > 0 || !(Number(first) > 0)) throw new Error('usage: sweep.js FIRST [LAST] [NAME=VALUE…]');
const given = Object.fromEntries(
  process.argv
    .slice(2)
    .filter((word) => word.includes('='))
    .map((word) => [word.split('=')[0] ?? '', Number(word.split('=')[1])]),
);
const { orchestrators = 2, runs = 2, ...chances } = given;
const faults: Faults = { ...EVERYTHING, ...chances };

let broken = 0;
for (let seed = Number(first); seed <= Number(last ?? first); seed++) {
  const { violations, trace } = await simulate(scenarioOf(seed, faults, { orchestrators, runs }));
  if (last === undefined) process.stdout.write(`${trace.join('\n')}\n`);
  if (violations.length > 0) process.stdout.write(`seed ${seed}: ${violations.join('; ')}\n`);
  broken += violations.length > 0 ? 1 : 0;
}
process.stdout.write(`${broken} seeds broke a promise\n`);
process.exitCode = broken > 0 ? 1 : 0;
