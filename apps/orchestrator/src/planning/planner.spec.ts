import { ACTION_CATALOGUE } from '@devmesh/contracts/catalogue';
import { graphOf } from '@devmesh/workflow/graph';
import { describe, expect, it } from 'vitest';
import { clausesOf } from './clauses.js';
import { planTask } from './planner.js';

function steps(task: string): string[] {
  return planTask(task, ACTION_CATALOGUE).workflow.steps.map(({ id, needs }) => `${id} <- ${needs.join(' ')}`.trim());
}

describe('a plan from a text', () => {
  it('runs two orders in parallel, and brings their patches together', () => {
    expect(steps('Build feature X AND deploy infrastructure Y')).toEqual([
      'feature-dev <-',
      'code-review <- feature-dev',
      'infrastructure <-',
      'finish-integrate <- code-review infrastructure',
      'finish-report <- finish-integrate',
    ]);
  });

  it('says for every step why it is there', () => {
    const { workflow, because } = planTask('Build feature X AND deploy infrastructure Y', ACTION_CATALOGUE);
    expect(because.map(({ step }) => step)).toEqual(workflow.steps.map(({ id }) => id));
    expect(because[2]?.because).toContain('"deploy infrastructure Y" says "deploy"');
  });

  it('lets what comes after "then" wait for all that came before', () => {
    expect(steps('fix the login and write a CI pipeline, then document the API').slice(0, 4)).toEqual([
      'feature-dev <-',
      'code-review <- feature-dev',
      'cicd <-',
      'documentation <- code-review cicd',
    ]);
  });

  it('sends code back at most three times', () => {
    const { workflow } = planTask('add a health route', ACTION_CATALOGUE);
    const loop = graphOf(workflow).loops.get('code-review:rejection');
    expect(loop).toMatchObject({ target: 'feature-dev', maxAttempts: 3 });
  });

  it('takes a text without known words as a change of the code, and says so', () => {
    const { because } = planTask('make it sing', ACTION_CATALOGUE);
    expect(because[0]?.because).toContain('names no agent');
  });

  it('keeps a feature that only mentions images a feature', () => {
    expect(steps('build a feature that resizes images')[0]).toBe('feature-dev <-');
  });

  it.each([
    ['Fix what the review finds', 'feature-dev <-'],
    ['harden what the scan shows', 'feature-dev <-'],
    ['review the fix of the login', 'code-review <-'],
    ['fix the Dockerfile', 'infrastructure <-'],
  ])('goes by what is asked for, not by what is named: %s', (task, first) => {
    expect(steps(task)[0]).toBe(first);
  });

  it.each([
    ['', 'empty'],
    [' ; , ', 'empty'],
    [Array.from({ length: 21 }, () => 'fix it').join('; '), 'more than 20'],
  ])('refuses %j', (task, text) => {
    expect(() => planTask(task, ACTION_CATALOGUE)).toThrow(text);
  });
});

describe('the orders of a text', () => {
  it.each([
    ['add search and filters', ['add search and filters']],
    ['add search and fix the cart', ['add search', 'fix the cart']],
    ['build A AND deploy B; document C\nreview D', ['build A', 'deploy B', 'document C', 'review D']],
    ['fix a, test b.', ['fix a', 'test b']],
  ])('divides %j', (task, texts) => {
    expect(clausesOf(task).map(({ text }) => text)).toEqual(texts);
  });

  it('marks where a sequence goes on', () => {
    expect(clausesOf('fix a and fix b, then test c and test d')).toEqual([
      { text: 'fix a', after: false },
      { text: 'fix b', after: false },
      { text: 'test c', after: true },
      { text: 'test d', after: false },
    ]);
  });
});
