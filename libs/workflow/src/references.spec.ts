import type { JsonObject } from '@devmesh/contracts/json';
import { describe, expect, it } from 'vitest';
import { parseReference, referencesIn, referenceText, resolveInput } from './references.js';
import { graphOfSteps, ok, failed, Play, REPOSITORY, RUN } from './testing/fixtures.js';

/** The input that the last step gets from this template, after `a` and `b` before it gave these. */
function resolved(template: JsonObject, a: JsonObject, b: JsonObject | null = {}): JsonObject {
  const graph = graphOfSteps(
    { id: 'a' },
    { id: 'b', needs: 'a', retry: { max_attempts: 1 } },
    { id: 'last', needs: 'b', always: true, with: template },
  );
  const play = new Play(graph, REPOSITORY);
  play.settle(ok(a), 'a');
  play.settle(b === null ? failed(false) : ok(b), 'b');
  return resolveInput(graph, play.state, 'last');
}

describe('a reference', () => {
  it.each([
    ['run.id', { of: 'run', member: 'id' }],
    ['run.task', { of: 'run', member: 'task' }],
    ['run.summary', { of: 'run', member: 'summary' }],
    ['repository', { of: 'repository' }],
    ['patches', { of: 'patches' }],
    ['steps.a-b_1.output', { of: 'step', step: 'a-b_1', path: [] }],
    ['steps.a.output.x.0.y-z', { of: 'step', step: 'a', path: ['x', '0', 'y-z'] }],
    ['run', undefined],
    ['run.mood', undefined],
    ['steps.a', undefined],
    ['steps.a.input.x', undefined],
    ['steps.a.output.', undefined],
    ['steps.A.output.x', undefined],
    ['', undefined],
  ])('%s is read', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  it('is the whole string or none: other text stays text', () => {
    expect(referenceText('${{repository}}')).toBe('repository');
    expect(referenceText('${{   run.id  }}')).toBe('run.id');
    expect(referenceText('see ${{ run.id }}')).toBeUndefined();
    expect(referenceText('${{ run.id }} ${{ run.task }}')).toBeUndefined();
    expect(resolved({ text: 'see ${{ run.id }}' }, {})).toEqual({ text: 'see ${{ run.id }}' });
  });

  it('is found wherever it stands, with the path to it', () => {
    expect(referencesIn({ a: ['${{ x }}', { b: '${{ y }}' }], c: 'text', d: null, e: 1 })).toEqual([
      { path: ['a', 0], text: 'x' },
      { path: ['a', 1, 'b'], text: 'y' },
    ]);
  });

  it('stands for the run', () => {
    expect(resolved({ id: '${{ run.id }}', task: '${{ run.task }}' }, {})).toEqual({ id: RUN, task: 'the task' });
    expect(resolved({ run: '${{ run.summary }}' }, {})).toMatchObject({
      run: { runId: RUN, task: 'the task', verdict: 'passed' },
    });
  });

  it('stands for the tree of the nearest upstream step that gave one, else for that of the run', () => {
    const tree = (name: string): JsonObject => ({ repository: { commit: name } });
    const template = { tree: '${{ repository }}' };
    expect(resolved(template, tree('a'), tree('b'))).toEqual({ tree: { commit: 'b' } });
    expect(resolved(template, tree('a'), {})).toEqual({ tree: { commit: 'a' } });
    expect(resolved(template, tree('a'), null)).toEqual({ tree: { commit: 'a' } });
    expect(resolved(template, {}, {})).toEqual({ tree: REPOSITORY.ref });
    const graph = graphOfSteps({ id: 'a', with: template });
    expect(new Play(graph).step('a').input).toEqual({});
  });

  it('stands for the patches of upstream steps alone, in order of definition, with who proposed them', () => {
    const graph = graphOfSteps(
      { id: 'last', needs: ['z', 'm', 'none'], with: { all: '${{ patches }}' } },
      { id: 'm' },
      { id: 'z' },
      { id: 'none' },
      { id: 'aside' },
    );
    const play = new Play(graph);
    play.settle(ok({ patch: { title: 'z' } }), 'z');
    play.settle(ok({ patch: { title: 'aside' } }), 'aside');
    play.settle(ok({ patch: null }), 'none');
    play.settle(ok({ patch: { title: 'm' } }), 'm');
    expect(play.step('last').input).toEqual({
      all: [
        { step: 'm', agent: 'worker', patch: { title: 'm' } },
        { step: 'z', agent: 'worker', patch: { title: 'z' } },
      ],
    });
    expect(resolved({ all: '${{ patches }}' }, {})).toEqual({ all: [] });
  });

  it('stands for a value inside an output, through members and places', () => {
    const output = { list: [{ name: 'x' }, 'second'], deep: { zero: 0, none: null, empty: '' } };
    const at = (path: string) => resolved({ v: `\${{ steps.a.output${path} }}` }, output);
    expect(at('')).toEqual({ v: output });
    expect(at('.list.0.name')).toEqual({ v: 'x' });
    expect(at('.list.1')).toEqual({ v: 'second' });
    expect(at('.deep.zero')).toEqual({ v: 0 });
    expect(at('.deep.none')).toEqual({ v: null });
    expect(at('.deep.empty')).toEqual({ v: '' });
  });

  it.each(['.gone', '.list.7', '.list.length', '.deep.zero.more', '.toString', '.__proto__', '.constructor.name'])(
    'to what is not there (%s) is left out',
    (path) => {
      const output = { list: ['a'], deep: { zero: 0 } };
      expect(resolved({ v: `\${{ steps.a.output${path} }}`, w: 1 }, output)).toEqual({ w: 1 });
    },
  );

  it('to a step that failed is left out of an object, and null in a list: never the text of an error', () => {
    expect(resolved({ v: '${{ steps.b.output.x }}', in: { w: '${{ steps.b.output }}' } }, {}, null)).toEqual({
      in: {},
    });
    expect(resolved({ v: ['${{ steps.b.output.x }}', 1] }, {}, null)).toEqual({ v: [null, 1] });
  });

  it('tells what the step gave in this iteration, not before', () => {
    const graph = graphOfSteps(
      { id: 'a' },
      { id: 'g', action: 'judge/act', needs: 'a', on_rejection: { action: 'retry', target: 'a', max_attempts: 2 } },
      { id: 'last', needs: 'g', with: { n: '${{ steps.a.output.n }}' } },
    );
    const play = new Play(graph);
    play.settle(ok({ n: 1 }), 'a');
    play.settle({ kind: 'succeeded', verdict: 'rejected', output: {} }, 'g');
    play.settle(ok({ n: 2 }), 'a');
    play.settle({ kind: 'succeeded', verdict: 'approved', output: {} }, 'g');
    expect(play.step('last').input).toEqual({ n: 2 });
  });
});
