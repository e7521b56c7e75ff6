import { RunGraph } from '@devmesh/contracts/run-graph';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { graphData, mermaid } from './diagram.js';
import { CATALOGUE, failed, graphOfSteps, ok, Play, rejected } from './testing/fixtures.js';
import { graphOf } from './graph.js';
import { parseWorkflow } from './parse.js';
import { playRandomly, randomChoices, randomGraph } from './testing/random-run.js';

vi.setConfig({ testTimeout: 60_000 });

// The part of Mermaid's grammar that is used here, strictly: quoted labels without anything that it would read as syntax.
const LABEL = String.raw`"(?:[^"<>&\[\]{}()|\x60\\\x00-\x1f#]|#[a-z0-9]+;|<br/>)*"`;
const NODE = new RegExp(
  String.raw`^(s\d+)(?:\[${LABEL}\]|\[\[${LABEL}\]\]|\{\{${LABEL}\}\}|\{${LABEL}\}|\(${LABEL}\))(?::::([a-z]+))?$`,
);
const EDGE = new RegExp(String.raw`^(s\d+) (?:-->|(?:-->|==>|-\.->)\|${LABEL}\|) (s\d+)$`);
const SUBGRAPH = new RegExp(String.raw`^subgraph (gs\d+)\[${LABEL}\]$`);
const CLASS = /^classDef ([a-z]+) [a-z-]+:[^,;]+(?:,[a-z-]+:[^,;]+)*$/;

/** Reads a diagram by that grammar; throws at the first line that is not of it. */
function read(source: string) {
  const [first, ...lines] = source.trimEnd().split('\n');
  expect(first).toBe('flowchart TD');
  const nodes = new Set<string>();
  const edges: string[] = [];
  const classes = new Set<string>();
  const used = new Set<string>();
  let depth = 0;
  for (const line of lines.map((one) => one.trim())) {
    const node = NODE.exec(line);
    const edge = EDGE.exec(line);
    const defined = CLASS.exec(line);
    if (node) {
      expect(nodes, line).not.toContain(node[1]);
      nodes.add(node[1] ?? '');
      if (node[2] !== undefined) used.add(node[2]);
    } else if (edge) edges.push(`${edge[1] ?? ''} ${edge[2] ?? ''}`);
    else if (SUBGRAPH.test(line)) depth++;
    else if (line === 'end') depth--;
    else if (defined) classes.add(defined[1] ?? '');
    else throw new Error(`not of the grammar: ${line}`);
    expect(depth).toBeGreaterThanOrEqual(0);
  }
  expect(depth).toBe(0);
  for (const end of edges.flatMap((edge) => edge.split(' '))) expect(nodes).toContain(end);
  expect(classes).toEqual(used);
  return { nodes, edges };
}

describe('the diagram of a workflow', () => {
  it('has a shape for each kind of step, and a label for each branch', () => {
    const graph = graphOfSteps(
      { id: 'list', on_failure: 'mend' },
      { id: 'end', needs: 'list', for_each: '${{ steps.list.output.items }}' },
      {
        id: 'check',
        needs: 'end',
        action: 'judge/act',
        on_rejection: { action: 'retry', target: 'end', max_attempts: 2 },
      },
      { id: 'ok', needs: ['check', 'list'], join: 'any', approval: { title: 'Ship "it" <b>[now]</b>?' } },
      { id: 'mend', when: 'run.task != ""' },
    );
    const source = mermaid(graphData(graph, null));
    read(source);
    expect(source.split('\n').slice(1)).toEqual([
      '  s0["list<br/>worker/act"]',
      '  s1[["end<br/>worker/act<br/>for each item"]]',
      '  s2{{"check<br/>judge/act"}}',
      '  s3{"ok<br/>Ship #quot;it#quot; #lt;b#gt;#91;now#93;#lt;/b#gt;?<br/>join any"}',
      '  s4["mend<br/>worker/act<br/>when run.task != #quot;#quot;"]',
      '  s0 -->|"on failure"| s4',
      '  s0 --> s1',
      '  s1 --> s2',
      '  s2 -.->|"on rejection: again, at most 2"| s1',
      '  s2 --> s3',
      '  s0 --> s3',
      '',
    ]);
  });

  it('puts the steps of a sub-workflow into a box, also of one within another', () => {
    const inner = 'name: inner\nfinish: false\nsteps: [{id: deep, action: worker/act}]';
    const outer =
      'name: outer\nfinish: false\nsteps: [{id: one, workflow: inner}, {id: two, needs: one, action: worker/act}]';
    const parsed = parseWorkflow(
      'name: all\nfinish: false\nsteps: [{id: group, workflow: outer}]',
      CATALOGUE,
      (name) => ({ inner, outer })[name],
    );
    if (!parsed.workflow) throw new Error(JSON.stringify(parsed.problems));
    const source = mermaid(graphData(graphOf(parsed.workflow), null));
    read(source);
    expect(source.match(/^ *(subgraph \S+|end$)/gm)?.map((line) => line.replace(/\[.*/, ''))).toEqual([
      '  subgraph gs0',
      '    subgraph gs1',
      '    end',
      '  end',
    ]);
  });
});

describe('the diagram of a run', () => {
  it('has the status, rounds and items of each step, and the branches that were taken', () => {
    const graph = graphOfSteps(
      { id: 'work' },
      {
        id: 'check',
        needs: 'work',
        action: 'judge/act',
        on_rejection: { action: 'retry', target: 'work', max_attempts: 2 },
      },
      { id: 'each', needs: 'check', for_each: '${{ steps.work.output.items }}', on_failure: 'mend' },
      { id: 'mend' },
    );
    const play = new Play(graph);
    play.settle(ok({ items: [1, 2] }), 'work');
    play.settle(rejected(), 'check');
    play.settle(ok({ items: [1, 2] }), 'work');
    play.settle({ kind: 'succeeded', output: {}, verdict: 'approved' }, 'check');
    play.settle(failed(false), 'each.0', 'each.1');
    const data = graphData(graph, play.state);
    const source = mermaid(data);
    read(source);
    expect(source).toContain('s0["work<br/>worker/act<br/>round 2"]:::succeeded');
    expect(source).toContain('s1 -.->|"on rejection: again, 1 of 2"| s0');
    expect(source).toContain('s2[["each<br/>worker/act<br/>2 items<br/>round 2"]]:::failed');
    expect(source).toContain('s2 ==>|"on failure"| s3');
    expect(source).toContain('s3["mend<br/>worker/act<br/>round 2"]:::running');
  });
});

const NASTY = [
  'a',
  ' ',
  '"',
  '`',
  '<',
  '>',
  '&',
  '#',
  ';',
  '|',
  '[',
  ']',
  '(',
  ')',
  '{',
  '}',
  '\\',
  '\n',
  '%',
  'é',
  '🙂',
];

describe('every diagram', () => {
  it('is of the grammar, has each step once and each edge, whatever the labels hold', () => {
    const nasty = fc.string({ unit: fc.constantFrom(...NASTY) });
    fc.assert(
      fc.property(randomGraph, randomChoices, nasty, (graph, choices, label) => {
        for (const state of [null, playRandomly(graph, choices).turns[0]?.after ?? null]) {
          const data = RunGraph.parse(graphData(graph, state));
          const named = { ...data, nodes: data.nodes.map((node) => ({ ...node, label: node.label + label })) };
          const { nodes, edges } = read(mermaid(named));
          expect(nodes.size).toBe(graph.order.length);
          expect(edges.length).toBe(data.edges.length);
        }
      }),
      { numRuns: 200, seed: 20_263 },
    );
  });
});
