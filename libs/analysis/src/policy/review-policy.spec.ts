import { describe, expect, it } from 'vitest';
import type { Finding } from '@devmesh/contracts/finding';
import { RULES } from '../rules/catalogue.js';
import { baselineText, readBaseline } from './baseline.js';
import { ReviewPolicy } from './review-policy.js';

const finding = (rule: string, path = 'src/a.py', kind: Finding['class'] = 'weak-crypto'): Finding => ({
  rule,
  class: kind,
  severity: 'medium',
  confidence: 'high',
  message: 'm',
  location: { path, startLine: 1, startColumn: 1, endLine: 1, endColumn: 2 },
  snippet: '',
  fingerprint: rule.length.toString(16).padStart(64, 'a'),
});

function read(text: string): ReviewPolicy {
  const policy = ReviewPolicy.read(`version: 1\n${text}`, RULES);
  if (!(policy instanceof ReviewPolicy)) throw new Error(JSON.stringify(policy.problems));
  return policy;
}

function problems(text: string): string[] {
  const policy = ReviewPolicy.read(text, RULES);
  return policy instanceof ReviewPolicy
    ? []
    : policy.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

describe('a policy', () => {
  it('sets severities and turns rules off: the id beats the class, and that a beginning', () => {
    const policy = read('rules:\n  py-*: low\n  py-weak-h*: info\n  weak-crypto: high\n  py-weak-hash: off\n');
    expect(policy.applied(finding('py-weak-hash'))).toBeUndefined();
    expect(policy.applied(finding('py-other', 'a.py', 'bug'))?.severity).toBe('low');
    expect(policy.applied(finding('py-weak-hmac', 'a.py', 'bug'))?.severity).toBe('info');
    expect(policy.applied(finding('py-other'))?.severity).toBe('high');
    expect(policy.applied(finding('js-x', 'a.js', 'bug'))?.severity).toBe('medium');
  });

  it('says something else for some paths; the later entry counts', () => {
    const policy = read(
      'rules: {py-weak-hash: off}\npaths:\n  - {path: src/, rules: {py-weak-hash: on}}\n  - {path: [src/old/, x], rules: {weak-crypto: low}}\nignore: [gen/**]\n',
    );
    expect(policy.applied(finding('py-weak-hash', 'lib/a.py'))).toBeUndefined();
    expect(policy.applied(finding('py-weak-hash'))?.severity).toBe('medium');
    expect(policy.applied(finding('py-weak-hash', 'src/old/a.py'))?.severity).toBe('low');
    expect([policy.ignores('gen/x/a.py'), policy.ignores('src/a.py')]).toEqual([true, false]);
  });

  it.each([
    ['', /^1:1 .*version/],
    ['version: 2', /^1:1 `version`: this Devmesh reads version 1: write `version: 1`/],
    ['version: 1\nreject_at: hihg\n', /^2:1 `reject_at`: say one of critical, .* or never/],
    ['version: 1\nrejekt_at: high\n', /^2:1 `rejekt_at`: there is no such setting: remove it, or mend its name/],
    ['version: 1\nrules:\n  py-weak-hsah: off\n', /^3:3 `py-weak-hsah` is no rule, class .*devmesh rules list/],
    ['version: 1\nrules:\n  py-weak-hash: of\n', /^3:3 `rules.py-weak-hash`: say one of off, on, critical/],
    ['version: 1\npaths:\n  - path: a\n    rules: {nope-*: off}\n', /^4:13 `nope-\*` is no rule/],
    ['version: 1\nbaseline: ../x.json\n', /^2:1 `baseline`: a JSON file in \.devmesh\//],
    ['version: 1\nrules: [\n', /^\d+:\d+ /],
    ['version: 1\nrules: &a {}\nignore: *a\n', /aliases are not read/],
    ['version: 1\nversion: 1\n', /^2:1 /],
  ])('names place and cure in %j', (text, problem) => {
    expect(problems(text).join('\n')).toMatch(problem);
  });
});

describe('a baseline', () => {
  it('is the same text for the same findings in any order, one a line, and reads back', () => {
    const some = [finding('b', 'b.py'), finding('aa', 'a.py'), finding('b', 'b.py')];
    const text = baselineText(some);
    expect(baselineText([...some].reverse())).toBe(text);
    expect(text.split('\n')).toHaveLength(5);
    expect(readBaseline('x.json', text)).toEqual({
      baseline: [
        { path: 'a.py', rule: 'aa', fingerprint: finding('aa').fingerprint },
        { path: 'b.py', rule: 'b', fingerprint: finding('b').fingerprint },
      ],
    });
    expect(readBaseline('x.json', baselineText([]))).toEqual({ baseline: [] });
  });

  it('is refused with place and cure', () => {
    expect(readBaseline('x.json', '{"version": 1,\n "findings": [{"path": "a"}]}')).toMatchObject({
      problems: [{ path: 'x.json', line: 2, message: expect.stringMatching(/--write-baseline/) as string }, {}],
    });
  });
});
