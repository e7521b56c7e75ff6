import { ACTION_CATALOGUE } from '@devmesh/contracts/catalogue';
import { WORKFLOW_LIMITS, WorkflowDefinition, type WorkflowProblem } from '@devmesh/contracts/workflow';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { graphOf } from './graph.js';
import { parseWorkflow } from './parse.js';
import { CATALOGUE } from './testing/fixtures.js';

function shipped(name: string): WorkflowDefinition {
  const source = readFileSync(new URL(`../../../workflows/${name}.yaml`, import.meta.url), 'utf8');
  const { workflow, problems } = parseWorkflow(source, ACTION_CATALOGUE);
  expect(problems).toEqual([]);
  return WorkflowDefinition.parse(workflow);
}

function parse(...lines: string[]): WorkflowDefinition {
  const { workflow, problems } = parseWorkflow(['name: test', 'steps:', ...lines].join('\n'), CATALOGUE);
  expect(problems).toEqual([]);
  return WorkflowDefinition.parse(workflow);
}

function problemsOf(...lines: string[]): readonly WorkflowProblem[] {
  return parseWorkflow(lines.join('\n'), CATALOGUE).problems;
}

const JUDGE = 'action: judge/act';
const WORK = 'action: worker/act';
const sendBack = (target: string, rounds = 3) => `{ action: retry, target: ${target}, max_attempts: ${rounds} }`;

interface Wrong {
  readonly about: string;
  readonly source: readonly string[];
  readonly code: WorkflowProblem['code'];
  readonly at: readonly [line: number, column: number];
  /** What the text must have: the culprit, and the cure. */
  readonly says: readonly string[];
}

const top = ['name: test', 'steps:'];

const WRONG: readonly Wrong[] = [
  {
    about: 'broken YAML',
    source: [...top, '  - { id: a, action: worker/act'],
    code: 'yaml',
    at: [3, 32],
    says: ['}'],
  },
  {
    about: 'a key twice',
    source: ['name: test', 'name: again', 'steps: []'],
    code: 'yaml',
    at: [2, 1],
    says: ['unique'],
  },
  {
    about: 'an alias',
    source: [...top, `  - &one { id: a, ${WORK} }`, '  - *one'],
    code: 'yaml',
    at: [4, 5],
    says: ['aliases are not read', 'write the value out'],
  },
  {
    about: 'aliases that grow beyond all bounds',
    source: ['a: &a [x, x]', 'b: &b [*a, *a]', 'c: [*b, *b]'],
    code: 'yaml',
    at: [2, 8],
    says: ['aliases are not read'],
  },
  { about: 'nothing at all', source: [''], code: 'schema', at: [1, 1], says: ['the workflow', 'object'] },
  {
    about: 'a key that is not known',
    source: [...top, `  - id: a`, `    ${WORK}`, '    need: b'],
    code: 'schema',
    at: [5, 5],
    says: ['need'],
  },
  {
    about: 'a join of more needs than there are',
    source: [...top, `  - id: a`, `    ${WORK}`, '    join: any'],
    code: 'schema',
    at: [5, 5],
    says: ['a wants 1 of its 0 needs', 'lower the quorum'],
  },
  {
    about: 'a join that is none',
    source: [...top, `  - id: a`, `    ${WORK}`, '    join: some'],
    code: 'schema',
    at: [5, 5],
    says: ['all, any, or quorum N'],
  },
  {
    about: 'losers where all are waited for',
    source: [...top, `  - { id: a, ${WORK}, losers: cancel }`],
    code: 'schema',
    at: [3, 34],
    says: ['no losers', 'join: any'],
  },
  {
    about: 'a condition with an error',
    source: [...top, `  - { id: a, ${WORK}, when: 'run.task ==' }`],
    code: 'bad_condition',
    at: [3, 34],
    says: ['when of a'],
  },
  {
    about: 'a condition that gives no yes or no',
    source: [...top, `  - { id: a, ${WORK}, when: '1 + 1' }`],
    code: 'bad_condition',
    at: [3, 34],
    says: ['gives int', 'true or false'],
  },
  {
    about: 'a condition on what it does not know',
    source: [...top, `  - { id: a, ${WORK}, when: 'secrets.key == ""' }`],
    code: 'bad_condition',
    at: [3, 34],
    says: ['secrets'],
  },
  {
    about: 'a condition with a regular expression',
    source: [...top, `  - { id: a, ${WORK}, when: 'run.task.matches("(a+)+$")' }`],
    code: 'bad_condition',
    at: [3, 34],
    says: ['matches()', 'startsWith'],
  },
  {
    about: 'a condition that takes all steps at once',
    source: [...top, `  - { id: a, ${WORK}, when: 'steps.exists(s, true)' }`],
    code: 'bad_condition',
    at: [3, 34],
    says: ['one by one'],
  },
  {
    about: 'a condition on a step that does not come before',
    source: [...top, `  - { id: a, ${WORK} }`, `  - { id: b, ${WORK}, when: 'steps.a.status == "failed"' }`],
    code: 'bad_reference',
    at: [4, 34],
    says: ['names a', 'does not come before'],
  },
  {
    about: 'an item outside of a fan-out',
    source: [...top, `  - { id: a, ${WORK}, with: { x: '\${{ item }}' } }`],
    code: 'bad_reference',
    at: [3, 42],
    says: ['for_each', 'a has none'],
  },
  {
    about: 'a fan-out over no reference',
    source: [...top, `  - { id: a, ${WORK}, for_each: [1, 2] }`],
    code: 'schema',
    at: [3, 34],
    says: ['for_each'],
  },
  {
    about: 'an undo that nobody knows',
    source: [...top, `  - { id: a, ${WORK}, undo: { action: no/body } }`],
    code: 'unknown_action',
    at: [3, 42],
    says: ['no/body', 'worker/act'],
  },
  {
    about: 'a fallback of a step that decides',
    source: [...top, `  - { id: a, action: judge/act, gate: true, fallback: { output: {} } }`],
    code: 'schema',
    at: [3, 45],
    says: ['a decides', 'on_failure'],
  },
  {
    about: 'a fallback of a step with an undo',
    source: [...top, `  - { id: a, ${WORK}, undo: { action: actor/undo }, fallback: { output: {} } }`],
    code: 'schema',
    at: [3, 64],
    says: ['a has an undo'],
  },
  {
    about: 'a fallback of a step that acts on an approval',
    source: [
      ...top,
      `  - { id: a, approval: { of: b } }`,
      `  - { id: b, ${WORK}, needs: a, fallback: { output: {} } }`,
    ],
    code: 'schema',
    at: [4, 44],
    says: ['b acts on an approval'],
  },
  {
    about: 'a fallback that is not what the action gives',
    source: [...top, `  - { id: a, action: measure/size, fallback: { output: { size: big } } }`],
    code: 'schema',
    at: [3, 48],
    says: ['measure/size', 'size', 'number'],
  },
  {
    about: 'a fallback of an approval',
    source: [...top, `  - { id: a, approval: true, fallback: { output: {} } }`],
    code: 'schema',
    at: [3, 30],
    says: ['an approval has no `fallback`'],
  },
  {
    about: 'an approval of what does not wait for it',
    source: [...top, `  - { id: a, approval: { of: b } }`, `  - { id: b, ${WORK} }`],
    code: 'schema',
    at: [3, 14],
    says: ['b must need a'],
  },
  {
    about: 'an approval of what waits for more',
    source: [
      ...top,
      `  - { id: late, ${WORK} }`,
      `  - { id: a, approval: { of: b } }`,
      `  - { id: b, needs: [a, late], ${WORK} }`,
    ],
    code: 'schema',
    at: [4, 14],
    says: ['b needs late', 'let a need it too'],
  },
  {
    about: 'an approval of what changes by itself',
    source: [
      ...top,
      `  - { id: a, approval: { of: b } }`,
      `  - { id: b, needs: a, ${WORK}, with: { s: '\${{ run.summary }}' } }`,
    ],
    code: 'bad_reference',
    at: [4, 52],
    says: ['bound by the approval a'],
  },
  {
    about: 'an approval that also acts',
    source: [...top, `  - { id: a, approval: true, ${WORK} }`],
    code: 'schema',
    at: [3, 30],
    says: ['an approval has no `action`'],
  },
  {
    about: 'no steps',
    source: ['name: test', 'steps: []'],
    code: 'schema',
    at: [2, 1],
    says: ['at least one step'],
  },
  {
    about: 'a step that names neither agent nor action',
    source: [...top, '  - id: a'],
    code: 'schema',
    at: [3, 5],
    says: ['`agent`', '`action`'],
  },
  {
    about: "an action that is another agent's",
    source: [...top, `  - { id: a, agent: judge, ${WORK} }`],
    code: 'schema',
    at: [3, 14],
    says: ['worker/act', 'judge', 'leave `agent` out'],
  },
  {
    about: 'a duration without a unit',
    source: [...top, `  - { id: a, ${WORK}, timeout: '30' }`],
    code: 'schema',
    at: [3, 34],
    says: ['timeout', '500ms, 30s, 5m, 2h or 1d'],
  },
  {
    about: 'a timeout that is too long',
    source: [...top, `  - { id: a, ${WORK}, timeout: 8d }`],
    code: 'schema',
    at: [3, 34],
    says: ['timeout', 'at most 7d'],
  },
  {
    about: 'a retry delay that is too long',
    source: [...top, `  - { id: a, ${WORK}, retry: { initial_delay: 2h } }`],
    code: 'schema',
    at: [3, 43],
    says: ['initial_delay', 'at most 1h'],
  },
  {
    about: 'more attempts than there may be',
    source: [...top, `  - { id: a, ${WORK}, retry: { max_attempts: 21 } }`],
    code: 'schema',
    at: [3, 43],
    says: ['retry.max_attempts', '20'],
  },
  {
    about: 'a branch that is neither step nor built-in nor loop',
    source: [...top, `  - id: a`, `    ${WORK}`, '    on_failure: { action: explode }'],
    code: 'schema',
    at: [5, 5],
    says: ['on_failure', 'log_and_notify, fail, or {action: retry, target: STEP, max_attempts: N}'],
  },
  {
    about: 'a verdict wanted of an action that gives none',
    source: [...top, `  - { id: a, ${WORK}, on_rejection: fail }`],
    code: 'schema',
    at: [3, 5],
    says: ['a has branches on a verdict', 'worker/act gives none', 'on_success and on_failure'],
  },
  {
    about: 'two loops on one event',
    source: [
      ...top,
      `  - { id: a, ${WORK} }`,
      `  - { id: b, ${WORK}, needs: a }`,
      `  - id: c`,
      `    ${JUDGE}`,
      '    needs: b',
      `    on_rejection: [${sendBack('a')}, ${sendBack('b')}]`,
    ],
    code: 'schema',
    at: [8, 5],
    says: ['on_rejection of c', 'twice', 'keep one'],
  },
  {
    about: 'a need that is no step',
    source: [...top, `  - id: a`, `    ${WORK}`, '    needs: [b]'],
    code: 'unknown_step',
    at: [5, 5],
    says: ['a needs b', 'use one of a'],
  },
  {
    about: 'a branch to what is no step',
    source: [...top, `  - id: a`, `    ${WORK}`, '    on_success: nowhere'],
    code: 'unknown_step',
    at: [5, 5],
    says: ['on_success of a names nowhere', 'use one of a, log_and_notify, fail'],
  },
  {
    about: 'a loop to what is no step',
    source: [...top, `  - id: a`, `    ${WORK}`, `    on_failure: ${sendBack('nowhere')}`],
    code: 'unknown_step',
    at: [5, 5],
    says: ['nowhere', 'use one of a'],
  },
  {
    about: 'two steps with one id',
    source: [...top, `  - { id: a, ${WORK} }`, `  - { id: a, ${WORK} }`],
    code: 'duplicate_step',
    at: [4, 5],
    says: ['another step a', 'an `id` of its own'],
  },
  {
    about: 'two steps named by their agent alone',
    source: [...top, `  - agent: worker`, '  - agent: worker'],
    code: 'duplicate_step',
    at: [4, 5],
    says: ['another step worker', '`id`'],
  },
  {
    about: 'an action that nobody has',
    source: [...top, `  - { id: a, action: worker/dance }`],
    code: 'unknown_action',
    at: [3, 14],
    says: ['worker/dance', 'use one of worker/act, judge/act'],
  },
  {
    about: 'an agent that there is not',
    source: [...top, `  - agent: dancer`],
    code: 'unknown_action',
    at: [3, 5],
    says: ['dancer', 'use one of worker, judge'],
  },
  {
    about: 'steps that wait for each other',
    source: [
      ...top,
      `  - { id: a, ${WORK}, needs: c }`,
      `  - { id: b, ${WORK}, needs: a }`,
      `  - { id: c, ${WORK}, needs: b }`,
    ],
    code: 'cycle',
    at: [3, 5],
    says: ['a -> b -> c -> a', 'on_rejection: {action: retry, target: STEP, max_attempts: N}'],
  },
  {
    about: 'a step that needs itself',
    source: [...top, `  - { id: a, ${WORK}, needs: a }`],
    code: 'cycle',
    at: [3, 5],
    says: ['a -> a'],
  },
  {
    about: 'a cycle through a goto branch',
    source: [...top, `  - { id: a, ${WORK} }`, `  - { id: b, ${WORK}, needs: a, on_failure: a }`],
    code: 'cycle',
    at: [3, 5],
    says: ['a -> b -> a'],
  },
  {
    about: 'a step that needs the success of what leads to it by failing',
    source: [...top, `  - { id: a, ${WORK}, on_failure: b }`, `  - { id: b, ${WORK}, needs: a }`],
    code: 'unreachable_step',
    at: [4, 5],
    says: ['b can never run', 'no end of a', 'drop a need or a branch'],
  },
  {
    about: 'a step that needs both ends of a branch, further down',
    source: [
      ...top,
      `  - { id: try, ${WORK}, on_success: good, on_failure: bad }`,
      `  - { id: good, ${WORK} }`,
      `  - { id: bad, ${WORK} }`,
      `  - { id: more, ${WORK}, needs: good }`,
      `  - { id: never, ${WORK}, needs: [more, bad] }`,
      `  - { id: behind, ${WORK}, needs: never }`,
    ],
    code: 'unreachable_step',
    at: [7, 5],
    says: ['never can never run', 'no end of try'],
  },
  {
    about: 'a branch on a rejection of what is no gate',
    source: [...top, `  - { id: a, ${JUDGE}, gate: false, on_rejection: b }`, `  - { id: b, ${WORK} }`],
    code: 'unreachable_step',
    at: [4, 5],
    says: ['b can never run'],
  },
  {
    about: 'a loop that does not say how often',
    source: [...top, `  - id: a`, `    ${WORK}`, '    on_failure: { action: retry, target: a }'],
    code: 'unbounded_loop',
    at: [5, 5],
    says: ['max_attempts', '1 to 100'],
  },
  {
    about: 'a loop that goes round too often',
    source: [...top, `  - id: a`, `    ${WORK}`, `    on_failure: ${sendBack('a', 101)}`],
    code: 'unbounded_loop',
    at: [5, 45],
    says: ['max_attempts', '1 to 100'],
  },
  {
    about: 'a loop back to what does not come before',
    source: [...top, `  - { id: a, ${WORK} }`, `  - id: b`, `    ${WORK}`, `    on_failure: ${sendBack('a')}`],
    code: 'unbounded_loop',
    at: [6, 5],
    says: ['on_failure of b', 'a, which does not come before it', 'name a step that b follows from'],
  },
  {
    about: 'a loop on success',
    source: [...top, `  - id: a`, `    ${WORK}`, `    on_success: ${sendBack('a')}`],
    code: 'unbounded_loop',
    at: [5, 5],
    says: ['on_success of a cannot send work back', 'on_rejection and on_failure'],
  },
  {
    about: 'a reference of no known form',
    source: [...top, `  - id: a`, `    ${WORK}`, '    with:', '      deep: [x, "${{ run.mood }}"]'],
    code: 'bad_reference',
    at: [6, 17],
    says: [
      '${{ run.mood }}',
      'run.id, run.task, run.origin, run.history, run.summary, repository, patches, steps.STEP.output.PATH',
    ],
  },
  {
    about: 'a reference to what does not come before',
    source: [
      ...top,
      `  - { id: a, ${WORK} }`,
      `  - id: b`,
      `    ${WORK}`,
      '    with: { x: "${{ steps.a.output.y }}" }',
    ],
    code: 'bad_reference',
    at: [6, 13],
    says: ['b refers to a', 'add it to its needs'],
  },
  {
    about: 'a source that is too long',
    source: ['#'.repeat(WORKFLOW_LIMITS.sourceBytes + 1)],
    code: 'limit',
    at: [1, 1],
    says: [String(WORKFLOW_LIMITS.sourceBytes)],
  },
  {
    about: 'too many steps',
    source: [...top, ...Array.from({ length: 201 }, (_, index) => `  - { id: s${index}, ${WORK} }`)],
    code: 'limit',
    at: [2, 1],
    says: ['at most 200 steps'],
  },
  {
    about: 'nested loops that go round too often together',
    source: [
      ...top,
      `  - { id: a, ${WORK} }`,
      `  - { id: b, ${WORK}, needs: a }`,
      `  - { id: inner, ${JUDGE}, needs: b, on_rejection: ${sendBack('b', 40)} }`,
      `  - id: outer`,
      `    ${JUDGE}`,
      '    needs: inner',
      `    on_rejection: ${sendBack('a', 40)}`,
    ],
    code: 'limit',
    at: [5, 47],
    says: ['on_rejection of inner', '1640 times', '1000', 'lower max_attempts'],
  },
];

describe('parseWorkflow refuses', () => {
  it.each(WRONG)('$code: $about', ({ source, code, at: [line, column], says }) => {
    const [first, ...rest] = problemsOf(...source);
    expect({ code: first?.code, line: first?.line, column: first?.column }).toEqual({ code, line, column });
    for (const text of says) expect(first?.message).toContain(text);
    expect(rest.filter((problem) => problem.code !== code)).toEqual([]);
  });

  it('everything that is wrong at once, each in its place', () => {
    const found = problemsOf(...top, `  - { id: a, ${WORK}, needs: x }`, `  - { id: a, ${WORK}, on_success: y }`);
    expect(found.map(({ code, line }) => `${code} ${line}`).sort()).toEqual([
      'duplicate_step 4',
      'unknown_step 3',
      'unknown_step 4',
    ]);
  });

  it('a step with the name of a last step that is added by itself', () => {
    const source = 'name: test\nsteps:\n  - { id: finish-report, action: code-review/review }';
    expect(parseWorkflow(source, ACTION_CATALOGUE).problems).toEqual([
      expect.objectContaining({
        code: 'duplicate_step',
        line: 3,
        column: 5,
        message: expect.stringContaining('finish: false'),
      }),
    ]);
    expect(parseWorkflow(`finish: false\n${source}`, ACTION_CATALOGUE).workflow?.steps).toHaveLength(1);
  });

  it('a workflow that its last steps would make too long', () => {
    const steps = Array.from({ length: 200 }, (_, index) => `  - { id: s${index}, action: code-review/review }`);
    const source = ['name: test', 'steps:', ...steps].join('\n');
    expect(parseWorkflow(source, ACTION_CATALOGUE).problems).toEqual([
      expect.objectContaining({ code: 'limit', line: 2, column: 1, message: expect.stringContaining('finish-report') }),
    ]);
    expect(parseWorkflow(`finish: false\n${source}`, ACTION_CATALOGUE).workflow?.steps).toHaveLength(200);
  });
});

describe('parseWorkflow accepts', () => {
  it('what can run on one of several branches', () => {
    parse(
      `  - { id: try, ${WORK}, on_success: good, on_failure: bad }`,
      `  - { id: good, ${WORK}, on_success: join }`,
      `  - { id: bad, ${WORK}, on_success: join }`,
      `  - { id: join, ${WORK} }`,
      `  - { id: after, ${WORK}, needs: join }`,
    );
  });

  it.each([
    ['500ms', 500],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['2 h', 7_200_000],
    ['7d', 604_800_000],
  ])('a timeout of %s', (timeout, timeoutMs) => {
    expect(parse(`  - { id: a, ${WORK}, timeout: ${timeout} }`).steps[0]).toMatchObject({ timeoutMs });
  });

  it('a retry in part, the rest by default; a first delay over the default longest one is kept', () => {
    const [a, b] = parse(
      `  - { id: a, ${WORK}, retry: { max_attempts: 5 } }`,
      `  - { id: b, ${WORK}, retry: { initial_delay: 5m } }`,
    ).steps;
    expect(a?.retry).toEqual({ maxAttempts: 5, initialDelayMs: 500, factor: 2, maxDelayMs: 30_000, jitter: 0.25 });
    expect(b?.retry).toMatchObject({ initialDelayMs: 300_000, maxDelayMs: 300_000 });
  });

  it('needs as one name or as several, each once; the id from id, name, agent or action', () => {
    const { steps } = parse(
      `  - { ${WORK} }`,
      '  - agent: judge',
      `  - { name: named, ${WORK}, needs: judge }`,
      `  - { id: last, name: other, ${WORK}, needs: [named, judge, named] }`,
    );
    expect(steps.map(({ id, needs }) => [id, ...needs])).toEqual([
      ['worker'],
      ['judge'],
      ['named', 'judge'],
      ['last', 'named', 'judge'],
    ]);
  });

  it('a gate by its branches or by its word', () => {
    const { steps } = parse(
      `  - { id: a, ${JUDGE} }`,
      `  - { id: b, ${JUDGE}, gate: true }`,
      `  - { id: c, ${JUDGE}, on_approval: log_and_notify }`,
    );
    expect(steps.map(({ gate }) => gate)).toEqual([false, true, true]);
  });

  it('a long run of blanks in what looks like a reference, at once', () => {
    const long = '${{' + ' '.repeat(100_000);
    expect(parse(`  - { id: a, ${WORK}, with: { x: "${long}" } }`).steps[0]?.with).toEqual({ x: long });
  });
});

describe('the shipped workflows', () => {
  it('feature_implementation, written with agents and branches alone, is the graph that it says', () => {
    const { steps } = shipped('feature_implementation');
    expect(steps.slice(0, 3).map(({ id, action, gate }) => ({ id, action, gate }))).toEqual([
      { id: 'feature-dev', action: 'feature-dev/implement', gate: false },
      { id: 'code-review', action: 'code-review/review', gate: true },
      { id: 'cicd', action: 'cicd/generate', gate: false },
    ]);
    expect(steps[0]?.on).toMatchObject({
      success: [{ kind: 'goto', target: 'code-review' }],
      failure: [{ kind: 'log_and_notify' }],
    });
    expect(steps[1]?.on).toMatchObject({
      approval: [{ kind: 'goto', target: 'cicd' }],
      rejection: [{ kind: 'rework', target: 'feature-dev', maxAttempts: 3 }],
    });
    // The pipeline's patch is integrated behind everything, and the report comes last.
    expect(steps.slice(3).map(({ id, action, needs, always }) => ({ id, action, needs, always }))).toEqual([
      { id: 'finish-integrate', action: 'feature-dev/integrate', needs: ['cicd'], always: true },
      { id: 'finish-report', action: 'documentation/report', needs: ['finish-integrate'], always: true },
    ]);
  });

  it('deliver works in parallel, loops at most three times, and needs no last steps', () => {
    const workflow = shipped('deliver');
    const graph = graphOf(workflow);
    expect(Object.fromEntries(workflow.steps.map(({ id, needs }) => [id, needs]))).toEqual({
      understand: [],
      review: ['understand'],
      infrastructure: ['understand'],
      cicd: ['understand'],
      documentation: ['understand'],
      implement: ['review', 'infrastructure', 'cicd', 'documentation'],
      verify: ['implement'],
      report: ['verify'],
    });
    const [loop] = [...graph.loops.values()];
    expect(loop).toMatchObject({ id: 'verify:rejection', target: 'implement', maxAttempts: 3 });
    expect([...(loop?.closure ?? [])].sort()).toEqual(['implement', 'report', 'verify']);
    // What the step leaves out comes from the action's defaults.
    expect(graph.steps.get('implement')?.with).toEqual({
      repository: '${{ repository }}',
      task: '${{ run.task }}',
      patches: '${{ patches }}',
      findings: '${{ steps.review.output.findings }}',
    });
  });

  it('review changes nothing: no integrating step is added', () => {
    expect(shipped('review').steps.map(({ id, gate, always }) => ({ id, gate, always }))).toEqual([
      { id: 'review', gate: true, always: false },
      { id: 'report', gate: false, always: true },
    ]);
  });
});
