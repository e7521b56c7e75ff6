import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { reviewText, reviewTexts } from '../findings/review-tree.js';
import { parseSnippets, readCorpus } from './read-corpus.js';
import { judgeCases, judgeSnippets } from './judge.js';
import { parseCase, readCases } from './read-cases.js';
import { scoresOf } from './score.js';

const CORPUS = fileURLToPath(new URL('../../corpus', import.meta.url));

describe('the labelled snippets', () => {
  it('are judged no worse than they were', { timeout: 60_000 }, async () => {
    const snippets = readCorpus(CORPUS);
    const { total } = scoresOf(await judgeSnippets(snippets, (files) => reviewTexts(files)));
    expect(total.bad).toBeGreaterThanOrEqual(210);
    expect(total.recall).toBeGreaterThanOrEqual(0.97);
    expect(total.falseAlarms).toBeLessThanOrEqual(0.02);
  });
});

describe('reading snippets', () => {
  it('takes labels, classes, paths and further files', () => {
    const text = '=== bad xss: one [a.ts]\nx\n--- b.ts\ny\n\n=== good xss: two\nz\n';
    expect(parseSnippets('javascript-x', text)).toEqual([
      {
        name: 'javascript-x: one',
        language: 'javascript',
        label: 'bad',
        class: 'xss',
        files: [
          { path: 'a.ts', text: 'x\n' },
          { path: 'b.ts', text: 'y\n' },
        ],
      },
      {
        name: 'javascript-x: two',
        language: 'javascript',
        label: 'good',
        class: 'xss',
        files: [{ path: 'src/app.js', text: 'z\n' }],
      },
    ]);
  });
  it.each([
    ['=== worse xss: a\n', /x:1: write/],
    ['\n=== bad nothing: a\n', /x:2: there is no class nothing/],
    ['=== bad xss: a\n=== good xss: a\n', /x:2: the title "a" is taken/],
    ['code\n', /x:1: code before/],
  ])('refuses %j', (text, problem) => expect(() => parseSnippets('javascript-x', text)).toThrow(problem));
});

it('counts what was found, missed and wrongly found', async () => {
  const snippets = parseSnippets(
    'javascript-x',
    '=== bad xss: a\nhit\n=== bad xss: b\nno\n=== good xss: c\nhit\n=== good cors: d\nno\n',
  );
  const { findings } = await reviewText('a.js', 'document.body.innerHTML = "<b>" + name;\n');
  expect(findings.map((finding) => finding.class)).toEqual(['xss']);
  const scores = scoresOf(await judgeSnippets(snippets, async ([file]) => (file?.text === 'hit\n' ? findings : [])));
  expect(scores.total).toMatchObject({ bad: 2, found: 1, good: 2, alarmed: 1, recall: 0.5, falseAlarms: 0.5, j: 0 });
  expect(scores.classes.map(({ name, j }) => [name, j])).toEqual([
    ['cors', 0],
    ['xss', -0.5],
  ]);
  expect(scores.missed.map(({ name }) => name)).toEqual(['javascript-x: b']);
  expect(scores.alarms.map(({ name }) => name)).toEqual(['javascript-x: c']);
});

describe('whole files', () => {
  it('of the corpus are judged no worse than they were', { timeout: 60_000 }, async () => {
    const { total } = scoresOf(await judgeCases(readCases(CORPUS), (files) => reviewTexts(files)));
    expect(total.bad).toBeGreaterThanOrEqual(300);
    expect(total.recall).toBeGreaterThanOrEqual(0.94);
    expect(total.falseAlarms).toBeLessThanOrEqual(0.04);
  });
  it('of the corpus have bad and good lines each', () => {
    for (const { name, labels } of readCases(CORPUS))
      expect(
        labels.map(({ label }) => label),
        name,
      ).toEqual(expect.arrayContaining(['bad', 'good']));
  });
  const text = `about it
--- src/a.js
const bar = document.body; <<< good xss
bar.innerHTML = '<b>' + name; <<< bad xss 79

bar.ok = 1;
bar.outerHTML = '<b>' + name; <<< open xss; bad unhandled-promise
--- src/b.js
document.body.innerHTML = '<i>' + name;
`;
  it('take labels off their lines', () => {
    const { files, labels, language } = parseCase('javascript-x', text);
    expect(files[0]?.text.split('\n').slice(0, 2)).toEqual([
      'const bar = document.body;',
      "bar.innerHTML = '<b>' + name;",
    ]);
    expect(labels.map(({ path, line, label, class: kind, cwe }) => [path, line, label, kind, cwe])).toEqual([
      ['src/a.js', 1, 'good', 'xss', undefined],
      ['src/a.js', 2, 'bad', 'xss', 79],
      ['src/a.js', 5, 'open', 'xss', undefined],
      ['src/a.js', 5, 'bad', 'unhandled-promise', undefined],
    ]);
    expect(language).toBe('javascript');
  });
  it('have a verdict for each label and for each finding without one', async () => {
    const verdicts = await judgeCases([parseCase('javascript-x', text)], (files) => reviewTexts(files));
    expect(verdicts.map(({ name, label, class: kind, hit }) => [name, label, kind, hit])).toEqual([
      ['javascript-x: src/b.js:1', 'good', 'xss', true],
      ['javascript-x: src/a.js:1', 'good', 'xss', false],
      ['javascript-x: src/a.js:2', 'bad', 'xss', true],
      ['javascript-x: src/a.js:5', 'bad', 'unhandled-promise', false],
    ]);
  });
  it.each([
    ['x\n', /no "--- path"/],
    ['--- a.js\nx <<< bad nothing 1\n', /x:2: there is no class nothing/],
    ['--- a.js\nx <<< bad xss\n', /x:2: say the CWE of xss: one of 79/],
    ['--- a.js\nx <<< bad\n', /x:2: write "<<< bad/],
  ])('are refused: %j', (bad, problem) => expect(() => parseCase('javascript-x', bad)).toThrow(problem));
});
