import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ActionBench } from '@devmesh/agent-kit/testing/test-context';
import { featureDevImplement } from '@devmesh/contracts/actions/feature-dev';
import { FixHistory } from '@devmesh/contracts/fix-history';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import { describeWith } from '@devmesh/testing/peers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { implementAction } from '../implement/implement.action.js';

let bench: ActionBench;
const folders: string[] = [];
beforeEach(() => {
  bench = new ActionBench();
});
afterEach(async () => {
  await bench.dispose();
  removeAll(...folders.splice(0));
});

/** The mesh mends this one. */
const CLIENT = `const https = require('node:https');
module.exports = new https.Agent({ rejectUnauthorized: false });
`;
const PACKAGE = `${JSON.stringify({ name: 'shop', main: 'client.js', scripts: { test: 'node --test' } }, null, 2)}\n`;

const testThat = (assertion: string): string => `const { test } = require('node:test');
const assert = require('node:assert');
const agent = require('./client.js');
test('the client of the supplier', () => { ${assertion} });
`;
const TRUSTS_ALL = testThat('assert.strictEqual(agent.options.rejectUnauthorized, false)');
const IS_AN_AGENT = testThat("assert.strictEqual(typeof agent.destroy, 'function')");

async function submit(files: Readonly<Record<string, string>>): Promise<RepositoryRef> {
  const folder = makeRepository(Object.entries({ 'client.js': CLIENT, 'package.json': PACKAGE, ...files }));
  folders.push(folder);
  return bench.submit(folder);
}

async function implement(repository: RepositoryRef, more: object = {}) {
  const input = featureDevImplement.input.parse({ repository, runTests: true, ...more });
  return featureDevImplement.output.parse(await implementAction.run(bench.context(input, { step: 'implement' })));
}

describeWith(['bwrap'], 'a change that is held to the tests of its repository', () => {
  it('is kept when they pass as before', async () => {
    const repository = await submit({ 'client.test.js': IS_AN_AGENT });
    const output = await implement(repository);
    expect(output).toMatchObject({ fixed: 1, leftOut: [] });
    expect(output.commits).toHaveLength(1);
    expect(output.tests).toMatchObject({
      verdict: 'accepted',
      suites: [
        {
          root: '.',
          command: 'npm run test',
          because: 'package.json:5 says "test": "node --test"',
          before: 'green',
          after: 'green',
        },
      ],
    });
    expect(bench.progress).toContain('running the tests with the change: npm run test');
  });

  it('is dropped when one turns red, with the test, the last lines, and why the fix is not tried again', async () => {
    const repository = await submit({ 'client.test.js': TRUSTS_ALL });
    const output = await implement(repository);
    expect(output).toMatchObject({ fixed: 0, dropped: 1, fixes: null, commits: [], bundle: null });
    expect(output.repository.commit).toBe(repository.commit);
    const reason = 'tests went red with the change: the client of the supplier (npm run test)';
    expect(output.leftOut).toEqual([{ title: 'Fixes in client.js', reason }]);
    expect(output.droppedFixes).toMatchObject([{ path: 'client.js', reason }]);
    expect(output.tests).toMatchObject({
      verdict: 'rejected',
      suites: [{ before: 'green', after: 'red', failed: expect.arrayContaining(['the client of the supplier']) }],
    });
    expect(output.tests?.suites[0]?.output).toContain('true !== false');
    const history = FixHistory.parse(JSON.parse(bench.read(output.fixHistory!).toString()));
    expect(history).toMatchObject({ fixed: [], dropped: [{ path: 'client.js', reason, round: 1 }] });
  });

  it("drops the fixes, and keeps the other agents' patches that the tests stand", async () => {
    const repository = await submit({ 'client.test.js': TRUSTS_ALL });
    const context = bench.context({});
    const checkout = await context.checkout(repository);
    writeFileSync(join(checkout.path, 'Dockerfile'), 'FROM scratch\n');
    const patch = { ...(await context.patch(checkout, { title: 'Add an image' }))!, body: '' };
    const output = await implement(repository, { patches: [{ step: 'infra', agent: 'infrastructure', patch }] });
    expect(output.commits.map(({ title }) => title)).toEqual(['Add an image']);
    expect(output.leftOut).toHaveLength(1);
    expect(output.droppedFixes).toHaveLength(1);
  });

  it('drops the fixes of the file that turns a test red, and keeps those of others', async () => {
    const files = { 'a.js': CLIENT, 'b.js': CLIENT, 'd.js': CLIENT };
    const output = await implement(await submit({ ...files, 'client.test.js': TRUSTS_ALL }));
    expect(output).toMatchObject({ fixed: 3, dropped: 1, tests: { verdict: 'rejected' } });
    expect(output.fixedFindings.map(({ path }) => path)).toEqual(['a.js', 'b.js', 'd.js']);
    expect(output.droppedFixes.map(({ path }) => path)).toEqual(['client.js']);
    expect(output.leftOut.map(({ title }) => title)).toEqual(['Fixes in client.js']);
    expect(output.commits.map(({ title }) => title)).toEqual(['Fix 3 findings in 3 files']);
  });

  it('drops the patch of another agent that turns a test red, and keeps the fixes', async () => {
    const image = testThat("assert.ok(!require('node:fs').existsSync('Dockerfile'))");
    const repository = await submit({ 'client.test.js': image });
    const context = bench.context({});
    const checkout = await context.checkout(repository);
    writeFileSync(join(checkout.path, 'Dockerfile'), 'FROM scratch\n');
    const patch = { ...(await context.patch(checkout, { title: 'Add an image' }))!, body: '' };
    const output = await implement(repository, { patches: [{ step: 'infra', agent: 'infrastructure', patch }] });
    expect(output).toMatchObject({ fixed: 1, leftOut: [{ title: 'Add an image' }] });
    expect(output.commits.map(({ agent }) => agent)).toEqual(['feature-dev']);
  });

  it('is not judged by tests that were red before, which is said', async () => {
    const output = await implement(await submit({ 'client.test.js': testThat('assert.fail()') }));
    expect(output).toMatchObject({ fixed: 1, tests: { verdict: 'not_judged' } });
    expect(output.tests?.summary).toBe('not judged by tests: npm run test is red without the change (exit code 1)');
    expect(output.summary).toContain('not judged by tests');
  });

  it('is not judged by tests that need packages that nobody installed, which is said', async () => {
    const output = await implement(await submit({ 'client.test.js': `require('left-pad');\n${IS_AN_AGENT}` }));
    expect(output).toMatchObject({ fixed: 1, tests: { verdict: 'not_judged', suites: [{ before: 'unrunnable' }] } });
    expect(output.tests?.summary).toContain('needs the package left-pad');
  });

  it('is said not to be judged by a suite that can not be run, beside one that can', async () => {
    const worker = {
      'worker/requirements.txt': 'pytest==9\nno-such-module==1\n',
      'worker/app.py': 'import no_such_module\n',
      'worker/test_app.py': 'import no_such_module\n',
    };
    const output = await implement(await submit({ 'client.test.js': IS_AN_AGENT, ...worker }));
    expect(output.tests?.verdict).toBe('accepted');
    expect(output.tests?.summary).toMatch(
      /^the tests pass as before: npm run test; not judged by tests: pytest in worker can't be run: it needs the Python module/,
    );
    expect(output.summary).toContain('not judged by tests: pytest in worker');
  });

  it('is not held to anything that was not asked for', async () => {
    const output = await implement(await submit({ 'client.test.js': TRUSTS_ALL }), { runTests: undefined });
    expect(output).toMatchObject({ fixed: 1, tests: null });
  });

  it('masks secrets in what the tests wrote', async () => {
    const token = `ghp_${'a1B2'.repeat(9)}`;
    const said = `'${token.slice(0, 9)}' + '${token.slice(9)}'`;
    const loud = testThat(`assert.ok(!agent.options.rejectUnauthorized, ${said})`);
    const output = await implement(await submit({ 'client.test.js': loud }));
    expect(output.tests?.verdict).toBe('rejected');
    expect(JSON.stringify(output)).not.toContain(token);
    expect(JSON.stringify(output.tests)).toContain('ghp_[redacted]');
  });
});
