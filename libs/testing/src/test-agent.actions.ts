import { appendFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { implement, type Action, type ActionContext } from '@devmesh/agent-kit/action-context';
import { defineAction, Verdict } from '@devmesh/contracts/action';
import { DevmeshError } from '@devmesh/contracts/errors';
import { z } from 'zod';

/** The agent of crash tests: actions that do nothing but leave a line each time their body runs. */
export const TEST_AGENT = 'noop';

/** Names this process in the lines of its bodies, beside its pid, which the system may give out again. */
const INCARNATION = randomUUID();

const Said = z.object({ by: z.string() });
const Nothing = z.looseObject({});
/** `ms`: how long it takes. `deaf`: it heeds no cancel. */
const Takes = z.looseObject({ ms: z.number().int().min(0).default(0), deaf: z.boolean().default(false) });

/** A deadline that no run reaches, however often the mesh dies: a step that timed out would be tried again, and be no finding. */
const common = { output: Said, timeoutMs: 10 * 60_000 };
export const TEST_ACTIONS = {
  act: defineAction({ ...common, id: 'noop/act', title: 'Answers at once', input: Nothing, isDefault: true }),
  slow: defineAction({ ...common, id: 'noop/slow', title: 'Takes its time', input: Takes }),
  fail: defineAction({
    ...common,
    id: 'noop/fail',
    title: 'Fails so many attempts',
    input: z.looseObject({ times: z.number().int(), retryable: z.boolean().default(true) }),
  }),
  judge: defineAction({
    ...common,
    id: 'noop/judge',
    title: 'Rejects so many iterations',
    input: z.looseObject({ rejections: z.number().int().default(0) }),
    output: Said.extend({ verdict: Verdict }),
    givesVerdict: true,
  }),
  once: defineAction({ ...common, id: 'noop/once', title: 'Has an effect', input: Takes, effects: 'once' }),
  probed: defineAction({
    ...common,
    id: 'noop/probed',
    title: 'Has an effect that can be looked up',
    input: Takes,
    effects: 'once',
    onLost: 'probe',
  }),
} as const;

/** The actions over a file in which each run of a body leaves the line `key incarnation pid`. */
export function testActions(bodies: string): Action[] {
  // One write in append mode: lines of several processes never mix, and what is written outlives its writer.
  const body = ({ key }: ActionContext<unknown>) => appendFileSync(bodies, `${key} ${INCARNATION} ${process.pid}\n`);
  const take = async (context: ActionContext<z.output<typeof Takes>>) => {
    body(context);
    const { ms, deaf } = context.input;
    await delay(ms, undefined, deaf ? {} : { signal: context.signal });
    return { by: INCARNATION };
  };
  const attempt = (key: string) => Number(key.split('/').at(-1));
  return [
    implement(TEST_ACTIONS.act, async (context) => {
      body(context);
      return { by: INCARNATION };
    }),
    implement(TEST_ACTIONS.slow, take),
    implement(TEST_ACTIONS.fail, async (context) => {
      body(context);
      const { times, retryable } = context.input;
      if (attempt(context.key) <= times) throw new DevmeshError('unavailable', 'as asked for', { retryable });
      return { by: INCARNATION };
    }),
    implement(TEST_ACTIONS.judge, async (context) => {
      body(context);
      const rejected = context.iteration <= context.input.rejections;
      return { by: INCARNATION, verdict: rejected ? ('rejected' as const) : ('approved' as const) };
    }),
    implement(TEST_ACTIONS.once, take),
    implement(TEST_ACTIONS.probed, take, {
      probe: async ({ key }) =>
        existsSync(bodies) && readFileSync(bodies, 'utf8').includes(`${key} `)
          ? { state: 'done', output: { by: 'the probe' } }
          : { state: 'not_done' },
    }),
  ];
}
