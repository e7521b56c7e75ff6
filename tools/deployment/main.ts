import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { regressions } from './performance.ts';
import { smokeRun, type SmokeRun } from './smoke.ts';
import { faultsOf, JaegerTrace, traceIdOf } from './tracing.ts';

/*
 * What a deployment is looked at with. Exit code: 0 all well, 1 not, 2 wrong use.
 *   node tools/deployment/main.ts smoke --gateway URL --key-file FILE --repository URL [--timeout SECONDS]
 *   node tools/deployment/main.ts tracing --jaeger URL --gateway URL --key-file FILE --repository URL
 *   node tools/deployment/main.ts performance --before TABLE... --after TABLE...      tables that bench/main.ts printed
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    gateway: { type: 'string', default: 'http://127.0.0.1:8000' },
    'key-file': { type: 'string' },
    repository: { type: 'string' },
    jaeger: { type: 'string', default: 'http://127.0.0.1:16686' },
    timeout: { type: 'string', default: '180' },
    before: { type: 'string', multiple: true, default: [] },
    after: { type: 'string', multiple: true, default: [] },
  },
});

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

class WrongUse extends Error {}

function needed(name: 'key-file' | 'repository'): string {
  const value = values[name];
  if (value === undefined) throw new WrongUse(`say --${name}`);
  return value;
}

async function smoke(): Promise<SmokeRun> {
  const run = await smokeRun({
    gateway: values.gateway.replace(/\/$/, ''),
    apiKey: readFileSync(needed('key-file'), 'utf8').trim(),
    repository: needed('repository'),
    timeoutMs: Number(values.timeout) * 1000,
  });
  say(`run ${run.id} ${run.verdict}: ${run.steps.join(', ')}`);
  return run;
}

/** Spans are sent every few seconds, and a collector gathers them too. */
async function tracing(): Promise<void> {
  const run = await smoke();
  const traceId = traceIdOf(run.id);
  let faults: string[] = [];
  for (let tries = 0; tries < 15; tries++) {
    if (tries > 0) await delay(2_000);
    const answer = await fetch(`${values.jaeger}/api/traces/${traceId}`, { signal: AbortSignal.timeout(10_000) });
    if (answer.status !== 404 && !answer.ok) throw new Error(`Jaeger at ${values.jaeger} answered ${answer.status}`);
    const trace = answer.ok ? JaegerTrace.parse(await answer.json()) : { data: [] };
    faults = faultsOf(trace, traceId, run.steps);
    if (faults.length === 0) {
      say(`trace ${traceId} is whole: ${values.jaeger}/trace/${traceId}`);
      return;
    }
  }
  throw new Error(`trace ${traceId} is not whole: ${faults.join('; ')}`);
}

function performance(): void {
  if (values.before.length === 0 || values.after.length === 0) throw new WrongUse('say --before and --after');
  const read = (file: string): string => readFileSync(file, 'utf8');
  const found = regressions(values.before.map(read), values.after.map(read));
  if (found.length > 0)
    throw new Error(found.map(({ figure, before, after }) => `${figure}: ${before} before, ${after} now`).join('\n'));
  say('no figure got worse by more than it may');
}

const verbs: Readonly<Record<string, () => unknown>> = { smoke, tracing, performance };
try {
  const verb = verbs[positionals[0] ?? ''];
  if (verb === undefined) throw new WrongUse(`say ${Object.keys(verbs).join(', ')}`);
  await verb();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof WrongUse ? 2 : 1;
}
