import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { runChecks } from '../doctor/check.js';
import { examine } from '../doctor/checks.js';
import { PRODUCTION_CHECKS } from '../doctor/production-checks.js';
import { productionFacts } from '../doctor/production-facts.js';
import { padEnd, plain, plural } from '../output/text.js';
import { theme } from '../output/theme.js';

export interface DoctorOptions {
  readonly json?: boolean;
  /** Whether it is held to docs/production-checklist.md too. */
  readonly production?: boolean;
}

export async function doctor(context: CliContext, options: DoctorOptions): Promise<ExitCode> {
  const { out, self } = context;
  const results = await examine(context);
  if (options.production === true)
    results.push(...(await runChecks(PRODUCTION_CHECKS, await productionFacts(context))));
  const bad = results.filter(({ state }) => state === 'bad').length;
  const exitCode = bad === 0 ? EXIT.passed : EXIT.failed;
  if (options.json === true) {
    out.write(`${JSON.stringify({ healthy: bad === 0, checks: results })}\n`);
    return exitCode;
  }
  const paint = theme(out.color);
  const glyph = { ok: paint.good('✔'), warning: paint.warn('▲'), bad: paint.bad('✖') };
  for (const { name, state, found, cure } of results) {
    out.write(`${glyph[state]} ${padEnd(name, 12)} ${plain(found)}\n`);
    if (cure !== null) out.write(`  ${' '.repeat(12)} ${paint.dim('cure:')} ${plain(cure)}\n`);
  }
  out.write(
    `\n${bad === 0 ? (options.production === true ? 'fit for production, as far as can be seen from here; the rest: docs/production-checklist.md' : `this machine is fit for the mesh: ${self} run`) : paint.bad(`${plural(bad, 'thing')} to mend`)}\n`,
  );
  return exitCode;
}
