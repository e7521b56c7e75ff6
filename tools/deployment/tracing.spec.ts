import { expect, test } from 'vitest';
import { faultsOf, JaegerTrace, traceIdOf } from './tracing.ts';

const RUN = '01a1fd99-07da-70b2-baf7-6aac802bf994';
const TRACE = traceIdOf(RUN);

/** Spans as `[id, service, name, parent]`. */
function trace(...spans: readonly (readonly [string, string, string, string | undefined])[]): JaegerTrace {
  return JaegerTrace.parse({
    data: [
      {
        spans: spans.map(([spanID, service, operationName, parent]) => ({
          spanID,
          operationName,
          processID: `p-${service}`,
          references:
            parent === undefined
              ? [{ refType: 'FOLLOWS_FROM', traceID: 'f'.repeat(32), spanID: 'x' }]
              : [{ refType: 'CHILD_OF', traceID: TRACE, spanID: parent }],
        })),
        processes: Object.fromEntries(spans.map(([, service]) => [`p-${service}`, { serviceName: service }])),
      },
    ],
  });
}
const whole = [
  ['1', 'orchestrator', 'run review', undefined],
  ['2', 'gateway', 'submit', '1'],
  ['3', 'orchestrator', 'step review', '1'],
  ['4', 'code-review', 'execute review', '3'],
] as const;

test('a whole trace has no faults', () => {
  expect(faultsOf(trace(...whole), TRACE, ['review'])).toEqual([]);
});

test.for([
  [
    '1',
    ['span "submit" of gateway has a parent', 'span "step review" of orchestrator has a parent', 'there are 0 spans'],
  ],
  ['2', ['the submit of the gateway is missing']],
  ['3', ['span "execute review" of code-review has a parent', 'step review is missing']],
  ['4', ['step review has no execution below it']],
] as const)('without span %s it has', ([missing, said]) => {
  const faults = faultsOf(trace(...whole.filter(([id]) => id !== missing)), TRACE, ['review']);
  expect(faults).toHaveLength(said.length);
  for (const [at, text] of said.entries()) expect(faults[at]).toContain(text);
});

test('no trace at all is told with the cure', () => {
  expect(faultsOf({ data: [] }, TRACE, [])).toEqual([expect.stringContaining('OTEL_EXPORTER_OTLP_ENDPOINT')]);
});
