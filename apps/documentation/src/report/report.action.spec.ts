import { ActionBench } from '@devmesh/agent-kit/testing/test-context';
import { documentationReport } from '@devmesh/contracts/actions/documentation';
import type { Finding } from '@devmesh/contracts/finding';
import type { FixHistory } from '@devmesh/contracts/fix-history';
import type { JsonObject } from '@devmesh/contracts/json';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { report } from './report.action.js';

let bench: ActionBench;
beforeEach(() => {
  bench = new ActionBench();
});
afterEach(() => bench.dispose());

const EVIL = 'x | <script>alert(1)</script>\n# own heading\n[link](javascript:x)';
const COMMIT = 'a'.repeat(40);

async function markdown(run: JsonObject): Promise<string> {
  const output = documentationReport.output.parse(await report.run(bench.context({ run })));
  expect(output.report).toMatchObject({ name: 'report.md', mediaType: 'text/markdown' });
  return bench.read(output.report).toString();
}

function step(id: string, output: JsonObject | null, more: JsonObject = {}): JsonObject {
  return {
    id,
    agent: 'some-agent',
    action: 'some-agent/act',
    iteration: 1,
    attempt: 1,
    outcome: 'succeeded',
    startedAt: 1000,
    elapsedMs: 1500,
    output,
    error: null,
    ...more,
  };
}

const finding = (severity: Finding['severity'], path: string): Finding => ({
  rule: 'sql-built-from-text',
  class: 'sql-injection',
  severity,
  confidence: 'high',
  message: EVIL,
  location: { path, startLine: 3, startColumn: 1, endLine: 3, endColumn: 9 },
  snippet: '',
  fingerprint: 'f'.repeat(64),
});

const counts = { critical: 1, high: 0, medium: 0, low: 2, info: 0 };

describe('documentation/report', () => {
  it('says what came out, what was done, found and left out', async () => {
    const document = { version: 1, findings: [finding('low', 'b.ts'), finding('critical', 'a.ts')] };
    const findings = bench.put(Buffer.from(JSON.stringify(document)), {
      name: 'findings.json',
      mediaType: 'application/json',
    });
    const text = await markdown({
      runId: '0190',
      workflow: 'deliver',
      task: 'Do it',
      repository: { origin: '/home/dev/shop', branch: 'main', base: COMMIT },
      verdict: 'passed',
      reason: 'every step succeeded',
      notices: ['submodules are left alone: vendor/x'],
      steps: [
        step('review', { counts, fixable: 2, findings, sarif: findings, summary: '3 findings' }),
        step('infrastructure', { kept: [{ path: 'worker/Dockerfile', reason: 'it is there already' }] }),
        step('implement', {
          commits: [{ title: 'Fix the query', step: 'implement', agent: 'feature-dev', commit: COMMIT }],
          leftOut: [{ title: 'Add images', reason: 'does not apply' }],
          fixedFindings: [{ rule: 'py-no-timeout', path: 'a.py', line: 7, fix: 'Set a timeout' }],
          droppedFixes: [{ rule: 'js-tls-old', path: 'b.ts', line: 2, reason: 'the types would be worse (TS2322)' }],
        }),
        step('guessed', { summary: 'nothing to see' }, { fallback: 'no disk' }),
        step('broken', null, { outcome: 'failed', error: 'its time ran out' }),
      ],
    });
    expect(text).toContain('- Verdict: **passed**: every step succeeded');
    expect(text).toContain('Branch `devmesh/0190`');
    expect(text).toContain(`| \`${COMMIT.slice(0, 12)}\` | Fix the query | feature-dev | implement |`);
    expect(text).toContain('| `review` | 1 | 0 | 0 | 2 | 0 | 2 |');
    expect(text.indexOf('`a.ts:3`')).toBeLessThan(text.indexOf('`b.ts:3`'));
    expect(text).toContain('| `py-no-timeout` | `a.py:7` | Set a timeout | 1 |');
    expect(text).toContain('| `js-tls-old` | `b.ts:2` | the types would be worse (TS2322) | 1 |');
    expect(text).toContain('- Add images: does not apply');
    expect(text).toContain('- `worker/Dockerfile`: it is there already');
    expect(text).toContain('| `broken` | some-agent | failed | 1 | 1.5 s | its time ran out |');
    expect(text).toContain(
      '| `guessed` | some-agent | succeeded | 1 | 1.5 s | fell back on its declared output: no disk |',
    );
    expect(text).toContain('- submodules are left alone: vendor/x');
    expect(text.split(findings.digest)).toHaveLength(2);
  });

  it('lists the last findings of each action that has some', async () => {
    const put = (path: string): ReturnType<ActionBench['put']> =>
      bench.put(Buffer.from(JSON.stringify({ version: 1, findings: [finding('low', path)] })), {
        name: 'findings.json',
        mediaType: 'application/json',
      });
    const text = await markdown({
      steps: [
        step('review', { counts, findings: put('first.ts') }),
        step('verify', { counts, findings: put('last.ts') }, { startedAt: 2000 }),
        step('documentation', { counts, findings: put('README.md') }, { action: 'documentation/generate' }),
      ],
    });
    expect(text).toContain('`last.ts:3`');
    expect(text).toContain('`README.md:3`');
    expect(text).not.toContain('`first.ts:3`');
  });

  it('lists the safe fixes of all rounds, each once', async () => {
    const at = { rule: 'py-no-timeout', path: 'a.py', line: 7 };
    const history: FixHistory = {
      version: 1,
      fixed: [
        { ...at, fix: 'Set a timeout', round: 1 },
        { ...at, line: 9, fix: 'Set another', round: 2 },
      ],
      dropped: [{ ...at, line: 11, reason: 'a test went red', round: 1, fingerprint: 'f'.repeat(64) }],
    };
    const fixHistory = bench.put(Buffer.from(JSON.stringify(history)), {
      name: 'fix-history.json',
      mediaType: 'application/json',
    });
    const last = { fixedFindings: [{ ...at, line: 9, fix: 'Set another' }], droppedFixes: [] };
    const text = await markdown({ steps: [step('implement', { ...last, fixHistory }, { iteration: 2 })] });
    expect(text).toContain('| `py-no-timeout` | `a.py:7` | Set a timeout | 1 |');
    expect(text.split('Set another')).toHaveLength(2);
    expect(text).toContain('| `py-no-timeout` | `a.py:11` | a test went red | 1 |');
    const gone = { ...fixHistory, digest: '0'.repeat(64) };
    const without = await markdown({ steps: [step('implement', { ...last, fixHistory: gone }, { iteration: 2 })] });
    expect(without).toContain('| `py-no-timeout` | `a.py:9` | Set another | 2 |');
  });

  it('says what the tests of the repository said, with the last lines of those that are red', async () => {
    const suite = {
      root: '.',
      command: 'npm run test',
      because: 'package.json:4 says "test": "node --test"',
      before: 'green',
      after: 'red',
      why: 'exit code 1',
      failed: ['adds'],
      output: '</pre>\r\n# not a heading\n✖ adds',
    };
    const tests = { verdict: 'rejected', summary: 'tests went red with the change: adds', suites: [suite] };
    const text = await markdown({ steps: [step('implement', { tests })] });
    expect(text).toContain('Step `implement`, **rejected**: tests went red with the change: adds');
    expect(text).toMatch(/\| `npm run test` \| `\.` \| .* \| green \| red \| exit code 1 \|/);
    expect(text).toContain('\n\n    </pre>\n    # not a heading\n    ✖ adds');
    const without = await markdown({ steps: [step('implement', { tests: null })] });
    expect(without).not.toContain('## Tests');
  });

  it('lets no text of others become markup', async () => {
    const findings = bench.put(Buffer.from(JSON.stringify({ version: 1, findings: [finding('high', EVIL)] })), {
      name: EVIL,
      mediaType: 'application/json',
    });
    const text = await markdown({
      runId: EVIL,
      workflow: EVIL,
      task: EVIL,
      repository: { origin: EVIL, branch: EVIL, base: EVIL },
      verdict: EVIL,
      reason: EVIL,
      notices: [EVIL],
      notifications: [{ step: EVIL, message: EVIL }],
      steps: [
        step(EVIL, { counts, findings, fixable: 0, summary: EVIL }, { agent: EVIL, outcome: EVIL, error: EVIL }),
        step('i', {
          commits: [{ title: EVIL, step: EVIL, agent: EVIL, commit: EVIL }],
          leftOut: [{ title: EVIL, reason: EVIL }],
          fixedFindings: [{ rule: EVIL, path: EVIL, line: 1, fix: EVIL }],
          droppedFixes: [{ rule: EVIL, path: EVIL, line: 1, reason: EVIL }],
        }),
        step('k', { kept: [{ path: EVIL, reason: EVIL }] }),
      ],
    });
    const outsideOfCode = text.replace(/(`+)[^\n]*?[^`]\1(?!`)/g, '');
    expect(outsideOfCode).not.toContain('<script');
    expect(outsideOfCode).not.toContain('[link](');
    expect(text).not.toMatch(/^# own heading/m);
    const rows = text.split('\n').filter((line) => line.startsWith('|'));
    const borders = (line: string): number => [...line.matchAll(/(?<!\\)\|/g)].length;
    for (const [index, row] of rows.entries()) {
      if (/^\| ---/.test(row)) expect(borders(row)).toBe(borders(rows[index - 1] ?? ''));
      else if (/^\| ---/.test(rows[index - 1] ?? '')) expect(borders(row)).toBe(borders(rows[index - 1] ?? ''));
    }
  });

  it('makes a report of anything', async () => {
    expect(await markdown({})).toContain('Verdict: **unknown**');
    expect(await markdown({ steps: [1, { id: 2, output: [] }], notices: 'no', repository: 7 })).toContain('unknown');
  });

  it('does without findings that are no longer there', async () => {
    const gone = { digest: '0'.repeat(64), name: 'findings.json', mediaType: 'application/json', size: 1 };
    expect(await markdown({ steps: [step('review', { counts, findings: gone, fixable: 0 })] })).toContain(
      '| `review` | 1 |',
    );
  });
});
