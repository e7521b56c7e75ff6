import { describe, expect, it } from 'vitest';
import { graphOf } from './graph.js';
import { parseWorkflow } from './parse.js';
import { brief, CATALOGUE, failed, ok, Play, rejected } from './testing/fixtures.js';

const CHECK = `
name: check
steps:
  - { id: test, action: worker/act, with: { what: "\${{ inputs.target }}" } }
  - { id: lint, action: worker/act, when: run.task != "" }
  - { id: judge, action: judge/act, needs: [test, lint], with: { saw: "\${{ steps.test.output.log }}" },
      when: steps.test.status == "succeeded", gate: true }
`;
const OUTER = `
name: outer
finish: false
steps:
  - { id: make, action: worker/act }
  - { id: check, workflow: check, needs: make, with: { target: "\${{ steps.make.output.tree }}" },
      on_rejection: { action: retry, target: make, max_attempts: 1 } }
  - { id: ship, action: worker/act, needs: check, with: { log: "\${{ steps.check.output.judge }}" },
      when: steps.check.output.judge.score > 1 }
`;
const sources = (texts: Record<string, string>) => (name: string) => texts[name];

function play(): Play {
  const parsed = parseWorkflow(OUTER, CATALOGUE, sources({ check: CHECK }));
  if (!parsed.workflow) throw new Error(JSON.stringify(parsed.problems));
  return new Play(graphOf(parsed.workflow));
}

function problems(outer: string, texts: Record<string, string>) {
  return parseWorkflow(outer, CATALOGUE, sources(texts)).problems;
}

describe('a sub-workflow', () => {
  it('runs in the place of its step, under its name, with its inputs, and gives what its steps gave', () => {
    const run = play();
    expect(run.phases).toEqual({
      make: 'running',
      check: 'pending',
      'check.test': 'pending',
      'check.lint': 'pending',
      'check.judge': 'pending',
      'check.end': 'pending',
      ship: 'pending',
    });
    run.settle(ok({ tree: 't1' }), 'make');
    expect(run.phases).toMatchObject({ check: 'succeeded', 'check.test': 'running', 'check.lint': 'running' });
    expect(run.step('check.test').input).toEqual({ what: 't1' });
    run.settle(ok({ log: 'green' }), 'check.test', 'check.lint');
    expect(run.step('check.judge').input).toEqual({ saw: 'green' });
    run.settle({ kind: 'succeeded', verdict: 'approved', output: { score: 2 } }, 'check.judge');
    expect(run.phases).toMatchObject({ 'check.end': 'succeeded', ship: 'running' });
    expect(run.step('ship').input).toEqual({ log: { score: 2 } });
  });

  it('that is rejected sends back what its step says, and starts anew with its steps', () => {
    const run = play();
    run.settle(ok({ tree: 't1' }), 'make');
    run.settle(ok(), 'check.test', 'check.lint');
    expect(brief(run.settle(rejected(), 'check.judge'))).toContain('ReworkStarted check.end to make');
    expect(run.step('check.test')).toMatchObject({ phase: 'pending', iteration: 2 });
    run.settle(ok({ tree: 't2' }), 'make');
    expect(run.step('check.test')).toMatchObject({ phase: 'running', input: { what: 't2' } });
  });

  it('fails when a step of it fails, and speaks for it in the verdict', () => {
    const run = play();
    run.settle(ok({ tree: 't1' }), 'make');
    run.settle(ok(), 'check.lint');
    run.settle(failed(false, 'red'), 'check.test');
    expect(run.phases).toMatchObject({ 'check.judge': 'skipped', 'check.end': 'failed', ship: 'skipped' });
    expect(run.state.ended?.reason).toBe('step check.end failed: step check.test failed: red');
  });

  it('is skipped as a whole with what it needs', () => {
    const run = play();
    run.settle(failed(false), 'make');
    expect(run.phases).toMatchObject({
      check: 'skipped',
      'check.test': 'skipped',
      'check.end': 'skipped',
      ship: 'skipped',
    });
  });

  it('may run others, at most three deep', () => {
    const nest = (name: string, inner: string) => `name: ${name}\nsteps: [{ id: in, workflow: ${inner} }]\n`;
    const texts = { a: nest('a', 'b'), b: nest('b', 'c'), c: 'name: c\nsteps: [{ id: act, action: worker/act }]\n' };
    const parsed = parseWorkflow(
      'name: top\nfinish: false\nsteps: [{ id: go, workflow: a }]',
      CATALOGUE,
      sources(texts),
    );
    const run = new Play(graphOf(parsed.workflow ?? { ...play().graph.workflow }));
    expect(run.phases).toMatchObject({ 'go.in.in.act': 'running' });
    run.settle(ok(), 'go.in.in.act');
    expect(run.state.ended?.verdict).toBe('passed');
    const deep = { ...texts, c: nest('c', 'd'), d: 'name: d\nsteps: [{ id: act, action: worker/act }]\n' };
    expect(problems('name: top\nsteps: [{ id: go, workflow: a }]', deep)[0]?.message).toContain('at most 3 deep');
  });

  it.each<[string, string, Record<string, string>, string]>([
    ['no such workflow', 'workflow: nobody', {}, 'there is no workflow nobody'],
    [
      'one that runs itself',
      'workflow: a',
      { a: 'name: a\nsteps: [{ id: x, workflow: a }]' },
      'run each other: a -> a',
    ],
    [
      'a missing input',
      'workflow: a',
      { a: 'name: a\nsteps: [{ id: x, action: worker/act, with: { y: "${{ inputs.z }}" } }]' },
      'wants an input z',
    ],
    [
      'an input too many',
      'workflow: a, with: { q: 1 }',
      { a: 'name: a\nsteps: [{ id: x, action: worker/act }]' },
      'takes no input q',
    ],
    [
      'what is wrong inside, with its line',
      'workflow: a',
      { a: 'name: a\nsteps:\n  - { id: x, color: red }' },
      'in a, line 3',
    ],
    [
      'an unknown action inside',
      'workflow: a',
      { a: 'name: a\nsteps: [{ id: x, action: no/body }]' },
      'in a: no agent has an action no/body',
    ],
    [
      'a reserved name',
      'workflow: a',
      { a: 'name: a\nsteps: [{ id: end, action: worker/act }]' },
      'cannot be called end',
    ],
    [
      'what only actions have',
      'workflow: a, timeout: 5s',
      { a: 'name: a\nsteps: [{ id: x, action: worker/act }]' },
      'has no `timeout`',
    ],
    [
      'a bad reference inside',
      'workflow: a',
      { a: 'name: a\nsteps: [{ id: x, action: worker/act, with: { y: "${{ steps.go.output }}" } }]' },
      'which does not come before it',
    ],
  ])('refuses %s, and says where', (_about, step, texts, says) => {
    const [first] = problems(`name: top\nsteps:\n  - { id: go, ${step} }\n`, texts);
    expect(first?.message).toContain(says);
    expect(first?.line).toBe(3);
  });
});
